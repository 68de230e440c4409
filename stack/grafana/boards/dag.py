"""The board "DAG": the runs of one DAG and, below, its tasks.

Descriptions are for a reader who comes from a line of the overview.
"""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from stack.grafana.boards import links
from stack.grafana.boards.kit import (
    GOOD_IS_NONE,
    NOTE_ANY,
    Row,
    bars,
    build,
    datasource_variable,
    lines,
    numbers,
    query_variable,
)
from stack.grafana.boards.queries import (
    FAILED,
    RUN_ENDED,
    SUCCESS,
    TO_RETRY,
    counted,
    mean,
    quantile,
    selected,
)

THIS = 'dag_id="$dag_id"'
DAY = "1d"


def board() -> model.Dashboard:
    """The board as Grafana's own types."""
    return build(
        links.DAG,
        "DAG",
        "One DAG: how its runs end, how long they take, and which task is to blame.",
        [runs(), tasks()],
        [
            datasource_variable(),
            query_variable(
                "dag_id",
                "DAG",
                "The DAGs of which a task has begun since the exporter started.",
                'label_values(airflow_task_start{job="airflow"}, dag_id)',
            ),
        ],
        [
            ("Airflow overview", f"/d/{links.OVERVIEW}?{links.TIME}"),
            ("This DAG in Airflow", f"{links.AIRFLOW}/dags/${{dag_id}}"),
        ],
    )


def runs() -> Row:
    """How the runs end."""
    ended, failed = counted(RUN_ENDED, THIS), counted(RUN_ENDED, THIS, FAILED)
    return "Runs", [
        numbers(
            "Runs ended",
            "Runs of this DAG that ended in the chosen time. 0: it is paused, or not due.",
            "short",
            (f"{ended} or vector(0)", "runs"),
            links=links.TO_CHOSEN_DAG,
            width=5,
        ),
        numbers(
            "Failed runs",
            "Runs of this DAG that ended as failed in the chosen time.",
            "short",
            (f"{failed} or vector(0)", "runs"),
            limits=GOOD_IS_NONE,
            links=links.TO_CHOSEN_DAG,
            width=5,
        ),
        numbers(
            "Runs that succeeded",
            "Share of the runs ended in the chosen time that succeeded. Below 90 % look at them.",
            "percentunit",
            (f"({counted(RUN_ENDED, THIS, SUCCESS)} or vector(0)) / {ended}", "runs"),
            limits=((None, "red"), (0.9, "orange"), (0.999, "green")),
            decimals=1,
            links=links.TO_CHOSEN_DAG,
            empty="no runs",
            width=5,
        ),
        numbers(
            "Time since last success",
            "How old the newest successful run is. Longer than the schedule allows: data is stale.",
            "s",
            (f"time() - max(airflow:dagrun_last_success:timestamp_seconds{{{THIS}}})", "age"),
            links=links.TO_CHOSEN_DAG,
            empty="no success yet",
            width=5,
            decimals=1,
        ),
        numbers(
            "Deadlines missed",
            "Runs of this DAG that were not done by their deadline, in the chosen time.",
            "short",
            (f"{counted('airflow_deadline_alerts_deadline_missed', THIS)} or vector(0)", "runs"),
            limits=GOOD_IS_NONE,
            links=links.TO_CHOSEN_DAG,
        ),
        lines(
            "DAG Run Duration",
            "How long a run takes in the mean, over all runs the exporter has seen.",
            "s",
            (f"avg(airflow_dagrun_duration_seconds{{{THIS}}}) by (dag_id)", "{{dag_id}}"),
            links=links.TO_CHOSEN_DAG,
        ),
        lines(
            "Run duration by outcome (last day)",
            "The mean of successful and failed runs, and of all how long half and 95 of 100 "
            "took at most. Failed runs that are short break at once; long ones time out.",
            "s",
            (mean("airflow_dagrun_duration_seconds", "state", THIS, window=DAY), "mean, {{state}}"),
            (quantile(0.5, "airflow_dagrun_duration_seconds", "", THIS, window=DAY), "p50"),
            (quantile(0.95, "airflow_dagrun_duration_seconds", "", THIS, window=DAY), "p95"),
            links=links.TO_CHOSEN_DAG,
        ),
        lines(
            "Dependency check (p95)",
            "How long the scheduler's look at a run of this DAG takes. "
            "Above a second the DAG has too many tasks or rules to check.",
            "s",
            (quantile(0.95, "airflow_dagrun_dependency_check_seconds", "", THIS), "check"),
            limits=((None, "green"), (1, "red")),
            links=links.TO_CHOSEN_DAG,
        ),
    ]


def tasks() -> Row:
    """What the tasks do."""
    began = counted("airflow_task_start", THIS, by="task_id")
    rate = "rate(airflow_task_{}{{{}}}[5m])"
    return "Tasks", [
        bars(
            "Tries by task",
            "Tries that began in the chosen time; also each poke of a rescheduling sensor. "
            "One task with many more than the others is retried or waits.",
            "short",
            (began, "{{task_id}}"),
            links=links.TO_CHOSEN_TASK,
            empty="no tries",
        ),
        bars(
            "Retries by task",
            "Tries that failed in the chosen time and are tried again. 0 is good.",
            "short",
            (
                f"{counted('airflow_task_finish', THIS, TO_RETRY, by='task_id')} or 0 * {began}",
                "{{task_id}}",
            ),
            limits=NOTE_ANY,
            links=links.TO_CHOSEN_TASK,
            empty="no tries",
        ),
        bars(
            "Failed for good by task",
            "Tasks that failed in the chosen time and will not be tried again. 0 is good.",
            "short",
            (
                f"{counted('airflow_task_finish', THIS, FAILED, by='task_id')} or 0 * {began}",
                "{{task_id}}",
            ),
            limits=GOOD_IS_NONE,
            links=links.TO_CHOSEN_TASK,
            empty="no tries",
        ),
        lines(
            "Task Success Rate",
            "Of the tries that began in the last 5 minutes, how many succeeded, for each task. "
            "Below 100 % tries fail; over it, tries that began earlier ended.",
            "percentunit",
            (f"{rate.format('success', THIS)} / {rate.format('start', THIS)}", "{{task_id}}"),
            links=links.TO_CHOSEN_TASK,
            top=1,
        ),
        lines(
            "Task Failures",
            "Failing tries per second, also those that will be tried again. 0 is good.",
            "cps",
            (f"sum({rate.format('failed', THIS)}) by (dag_id)", "{{dag_id}}"),
            links=links.TO_CHOSEN_DAG,
        ),
        lines(
            "Tasks now",
            "Tasks by state, looked at every 30 s: short ones are missed. "
            "Many queued and few running: slots are missing.",
            "short",
            (f"sum by (state) ({selected('airflow_task_instances', THIS)})", "{{state}}"),
            links=links.TO_CHOSEN_DAG,
        ),
        lines(
            "Task duration (mean of the last day)",
            "How long a try of each task takes in the mean. The longest line is where time goes.",
            "s",
            (mean("airflow_task_duration_seconds", "task_id", THIS, window=DAY), "{{task_id}}"),
            links=links.TO_CHOSEN_TASK,
        ),
        lines(
            "Task duration (p95 of the last day)",
            "95 of 100 tries took this long or less. Far above the mean: some tries are slow.",
            "s",
            (
                quantile(0.95, "airflow_task_duration_seconds", "task_id", THIS, window=DAY),
                "{{task_id}}",
            ),
            links=links.TO_CHOSEN_TASK,
        ),
        lines(
            "Wait until queued (p95 of the last day)",
            "From when a task could start until it was put into the queue. "
            "Above a minute: pool, parallelism or the limits of the DAG are too small.",
            "s",
            (
                quantile(
                    0.95, "airflow_task_scheduled_duration_seconds", "task_id", THIS, window=DAY
                ),
                "{{task_id}}",
            ),
            limits=((None, "green"), (60, "red")),
            links=links.TO_CHOSEN_TASK,
        ),
    ]
