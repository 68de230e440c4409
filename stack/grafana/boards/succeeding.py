"""The row "Is work succeeding?" of the overview.

The alerts of this question: stack/prometheus/rules/succeeding.yml.
"""

from __future__ import annotations

from stack.grafana.boards import links
from stack.grafana.boards.kit import GOOD_IS_NONE, NOTE_ANY, Row, bars, lines, numbers
from stack.grafana.boards.queries import (
    DAG_RUN_DURATION,
    FAILED,
    RUN_ENDED,
    SUCCESS,
    TASK_FAILURES,
    TASK_SUCCESS_RATE,
    TO_RETRY,
    counted,
)


def row() -> Row:
    """Is work succeeding?"""
    return "Is work succeeding?", [
        numbers(
            "Runs that succeeded",
            "Share of the runs ended in the chosen time that succeeded. Below 90 % look at them.",
            "percentunit",
            (
                f"({counted(RUN_ENDED, SUCCESS)} or vector(0)) / {counted(RUN_ENDED)}",
                "runs",
            ),
            limits=((None, "red"), (0.9, "orange"), (0.999, "green")),
            decimals=1,
            empty="no runs",
        ),
        numbers(
            "Failed runs",
            "Runs that ended as failed in the chosen time.",
            "short",
            (f"{counted(RUN_ENDED, FAILED)} or vector(0)", "runs"),
            limits=GOOD_IS_NONE,
        ),
        numbers(
            "Tasks failed for good",
            "Tasks that failed in the chosen time and will not be tried again.",
            "short",
            (f"{counted('airflow_task_finish', FAILED)} or vector(0)", "tasks"),
            limits=GOOD_IS_NONE,
        ),
        numbers(
            "Retries",
            "Tries that failed in the chosen time and are tried again. "
            "Many retries are failures on their way.",
            "short",
            (f"{counted('airflow_task_finish', TO_RETRY)} or vector(0)", "tries"),
            limits=NOTE_ANY,
        ),
        numbers(
            "Deadlines missed",
            "Runs that were not done by their deadline, in the chosen time.",
            "short",
            (f"{counted('airflow_deadline_alerts_deadline_missed')} or vector(0)", "runs"),
            limits=GOOD_IS_NONE,
        ),
        numbers(
            "Orphaned tasks",
            "Tasks whose scheduler went away, in the chosen time: they are started anew. "
            "After a restart of the scheduler that is normal, else look why it died.",
            "short",
            (f"{counted('airflow_scheduler_orphaned_tasks_cleared')} or vector(0)", "tasks"),
            limits=NOTE_ANY,
        ),
        lines(
            "Task Success Rate",
            "Of the tries that began in the last 5 minutes, how many succeeded, for each task. "
            "Below 100 % tries fail; over it, tries that began earlier ended.",
            "percentunit",
            (TASK_SUCCESS_RATE, "{{dag_id}} {{task_id}}"),
            links=links.TO_TASK,
            top=1,
        ),
        lines(
            "DAG Run Duration",
            "How long a run of each DAG takes in the mean, over all runs the exporter has seen. "
            "A slow rise here is a fast rise in the newest runs.",
            "s",
            (DAG_RUN_DURATION, "{{dag_id}}"),
            links=links.TO_DAG,
        ),
        lines(
            "Task Failures",
            "Failing tries per second, by DAG; also those that will be tried again. "
            "0 is good. Multiply by 300 for the tries of the last 5 minutes.",
            "cps",
            (TASK_FAILURES, "{{dag_id}}"),
            links=links.TO_DAG,
        ),
        bars(
            "Failed runs by DAG",
            "Runs that ended as failed in the chosen time. A long bar says where to look first.",
            "short",
            (
                f"{counted(RUN_ENDED, FAILED, by='dag_id')}"
                f" or 0 * {counted(RUN_ENDED, by='dag_id')}",
                "{{dag_id}}",
            ),
            limits=GOOD_IS_NONE,
            links=links.TO_DAG,
            empty="no runs",
        ),
        bars(
            "Failing tries by operator",
            "Failing tries in the chosen time by kind of task. "
            "One long bar points to what these tasks share: a service, a login, a library.",
            "short",
            (
                f"{counted('airflow_operator_failures', by='operator_name')}"
                f" or 0 * {counted('airflow_operator_successes', by='operator_name')}",
                "{{operator_name}}",
            ),
            limits=NOTE_ANY,
            empty="no tries",
        ),
        lines(
            "Run duration (p95)",
            "Of all runs the exporter has seen, 95 of 100 took this long or less. "
            "Far above the mean: some runs are much slower than the others.",
            "s",
            ("airflow:dagrun_duration_seconds:p95", "{{dag_id}}"),
            links=links.TO_DAG,
        ),
        bars(
            "Time since last success",
            "How old the newest successful run of each DAG is. Compare it with the schedule.",
            "s",
            (
                "time() - max by (dag_id) (airflow:dagrun_last_success:timestamp_seconds)",
                "{{dag_id}}",
            ),
            links=links.TO_DAG,
            empty="no success yet",
            decimals=1,
        ),
        bars(
            "Freshness limit used",
            "The same age as a share of the limit of each DAG that has one. "
            "At 100 % its data is stale, even if nothing failed: perhaps nothing ran.",
            "percentunit",
            (
                "(time() - max by (dag_id) (airflow:dagrun_last_success:timestamp_seconds))"
                " / max by (dag_id) (airflow:dag_freshness_limit:seconds)",
                "{{dag_id}}",
            ),
            limits=((None, "green"), (0.8, "orange"), (1, "red")),
            links=links.TO_DAG,
            empty="no success yet",
        ),
        lines(
            "Failure ratio (15 minutes)",
            "Share of the tries that failed, also of those that are tried again. "
            "Over half of at least five tries raises an alert.",
            "percentunit",
            ("airflow:task_failure:ratio_15m", "{{dag_id}}"),
            limits=((None, "green"), (0.5, "red")),
            links=links.TO_DAG,
            top=1,
        ),
    ]
