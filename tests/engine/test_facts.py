"""A transcript says what Airflow says about a DAG before any run, or why there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from probing import DAY, Probe, Seen, facts, loaded, source

from grader.judge.view import moment

FULL = source(
    """
    @task(  # the line of first
        retries=3,
        retry_delay=timedelta(minutes=2),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(hours=1),
        execution_timeout=timedelta(seconds=90),
        pool="press",
        pool_slots=2,
        priority_weight=7,
        max_active_tis_per_dag=3,
        max_active_tis_per_dagrun=1,
        trigger_rule="all_done",
        depends_on_past=True,
        on_failure_callback=tell,
        on_retry_callback=[tell],
    )
    def first():
        return [1, 2]

    @task
    def size(n: int):
        return n

    @task_group
    def inner():
        @task
        def leaf():
            return 1

        leaf()

    @task_group
    def outer():
        inner()

    shell = BashOperator(task_id="shell", bash_command="true", on_success_callback=tell)
    numbers = first()
    mapped = size.partial().expand(n=numbers)
    [numbers, outer()] >> shell
    """,
    """schedule="30 2 * * *", start_date=datetime(2024, 1, 1, tzinfo=UTC), catchup=True,
    tags=["wing", "beak"], params={"size": Param(3, type="integer"), "name": "Ada"},
    description="A bird.", max_active_runs=2, max_active_tasks=5,
    dagrun_timeout=timedelta(hours=3), on_failure_callback=tell,
    default_args={"owner": "heron"}""",
    before="""
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import Param

    print("words at import")


    def tell(context): ...
    """,
)


def scheduled(settings: str) -> Probe:
    """A DAG of one task, loaded at noon on the fifth of March."""
    body = "@task\ndef one(): ...\none()"
    before = "from airflow.sdk import CronTriggerTimetable, MultipleCronTriggerTimetable"
    return Probe(source(body, settings, before=before), (loaded(),))


START = "start_date=datetime(2024, 1, 1, tzinfo=UTC)"
# The first is the latest slot that is over: a scheduler that meets the DAG now would run it.
SCHEDULES = {
    "none": ("schedule=None", []),
    "cron": (f'schedule="0 2 * * *", {START}', ["2024-03-05 02", "2024-03-06 02", "2024-03-07 02"]),
    "hourly": (f'schedule="@hourly", {START}', ["2024-03-05 12", "2024-03-05 13", "2024-03-05 14"]),
    "caught_up": (
        f'schedule="@daily", {START}, catchup=True',
        ["2024-01-01 00", "2024-01-02 00", "2024-01-03 00"],
    ),
    "timetable": (
        f'schedule=CronTriggerTimetable("0 6 * * 1", timezone="Europe/Berlin"), {START}',
        ["2024-03-04 05", "2024-03-11 05", "2024-03-18 05"],
    ),
    "two_crons": (
        'schedule=MultipleCronTriggerTimetable("0 3 * * *", "0 15 * * *", timezone="UTC"),' + START,
        ["2024-03-05 03", "2024-03-05 15", "2024-03-06 03"],
    ),
    "summer": (
        'schedule="@daily", start_date=datetime(2024, 6, 1, tzinfo=UTC)',
        ["2024-06-01 00", "2024-06-02 00", "2024-06-03 00"],
    ),
    "ended": (
        f'schedule="@daily", {START}, end_date=datetime(2024, 3, 6, tzinfo=UTC)',
        ["2024-03-05 00", "2024-03-06 00"],
    ),
}
ERRORS = {
    "syntax": ("def f(:  # bad\n    pass\n", "SyntaxError", "bad"),
    "indent": ("def f():\n    a = 1\n   b = 2  # bad\n", "IndentationError", "bad"),
    "nested": ("def f():\n    return NO_SUCH  # bad\n\nf()\n", "NameError", "bad"),
    "library": ('import json\n\njson.loads("{")  # bad\n', "JSONDecodeError", "bad"),
    "module": ("from helper_beside import x  # bad\n", "ModuleNotFoundError", "bad"),
    "exits": ("import sys\nsys.exit(3)  # bad\n", "SystemExit", "bad"),
    "old": (
        "from airflow.sdk import DAG\nDAG('probe', schedule_interval=None)  # bad\n",
        "TypeError",
        "bad",
    ),
    "cycle": (
        source("a, b = one.override(task_id='a')(), one.override(task_id='b')()\na >> b >> a")
        .replace("\n@dag", "@task\ndef one(): ...\n\n@dag"),
        "AirflowDagCycleException",
        None,
    ),
}  # fmt: skip
DAGS = {
    "no_dag": ("x = 1\n", []),
    "not_called": (source("pass").replace("\nprobe()\n", ""), []),
    "other_name": (source("pass").replace('"probe"', '"other"'), ["other"]),
    "two_dags": (
        source("pass") + "\nfrom airflow.sdk import DAG\nsecond = DAG('second')\n",
        ["probe", "second"],
    ),
}
WEIGHTS = source(
    """
    @task
    def one(): ...

    b = one.override(task_id="b", priority_weight=10)()
    b >> one.override(task_id="c")()
    one.override(task_id="d", priority_weight=100, weight_rule="absolute")()
    """
)
CARE = source(
    """
    @task
    def one(): ...

    make, end = one.override(task_id="make")(), one.override(task_id="end")()
    make >> one.override(task_id="work")() >> end.as_teardown(setups=make)
    """
)
PROBES = (
    {"weights": Probe(WEIGHTS), "weights_of_care": Probe(CARE, (loaded(),))}
    | {"full": Probe(FULL, (loaded(),))}
    | {f"when_{name}": scheduled(settings) for name, (settings, _) in SCHEDULES.items()}
    | {f"bad_{name}": Probe(text, (loaded(),)) for name, (text, *_) in ERRORS.items()}
    | {f"dags_{name}": Probe(text, (loaded(),)) for name, (text, _) in DAGS.items()}
)


def test_the_dag(seen: Seen) -> None:
    transcript = seen("full")
    dag = transcript.dag
    assert dag is not None
    assert (transcript.dag_ids, dag.dag_id) == (["probe"], "probe")
    assert dag.line == PROBES["full"].line("@dag(")
    assert dag.start_date is not None
    assert moment(dag.start_date) == datetime(2024, 1, 1, tzinfo=UTC)
    assert dag.catchup is True
    assert dag.tags == ["beak", "wing"]
    assert dag.params == {"size": 3, "name": "Ada"}
    assert (dag.description, dag.max_active_runs) == ("A bird.", 2)
    assert (dag.max_active_tasks, dag.run_timeout) == (5, 10_800.0)
    assert (dag.assets, dag.deadlines) == ([], [])
    assert dag.callbacks == ["on_failure_callback"]
    assert transcript.load_output == "words at import\n"
    assert transcript.runs == [] and transcript.breach is None


def test_a_task_with_everything(seen: Seen) -> None:
    first = facts(seen("full"), "first")
    assert first.operator == "@task"
    assert first.line == PROBES["full"].line("# the line of first")
    assert (first.retries, first.retry_delay) == (3, 120.0)
    assert (first.retry_exponential_backoff, first.max_retry_delay) == (True, 3600.0)
    assert (first.execution_timeout, first.pool) == (90.0, "press")
    assert (first.pool_slots, first.priority_weight) == (2, 7)
    assert (first.max_active_per_dag, first.max_active_per_run) == (3, 1)
    assert (first.trigger_rule, first.depends_on_past) == ("all_done", True)
    assert first.callbacks == ["on_failure_callback", "on_retry_callback"]
    assert (first.owner, first.mapped, first.group) == ("heron", False, None)


def test_a_task_with_nothing_has_the_defaults(seen: Seen) -> None:
    leaf = facts(seen("full"), "outer.inner.leaf")
    assert (leaf.retries, leaf.retry_delay, leaf.max_retry_delay) == (0, 300.0, None)
    assert (leaf.retry_exponential_backoff, leaf.execution_timeout) == (False, None)
    assert (leaf.trigger_rule, leaf.pool) == ("all_success", "default_pool")
    assert (leaf.upstream, leaf.callbacks, leaf.depends_on_past) == ([], [], False)
    assert (leaf.pool_slots, leaf.priority_weight, leaf.outlets) == (1, 1, [])
    assert (leaf.max_active_per_dag, leaf.max_active_per_run) == (None, None)
    assert not leaf.setup and not leaf.teardown


def test_the_weight_in_the_queue_is_that_of_all_that_waits_behind(seen: Seen) -> None:
    run = seen.run("weights")
    assert {i.task_id: i.priority_weight for i in run.instances} == {"b": 11, "c": 1, "d": 100}
    assert facts(seen("weights"), "b").priority_weight == 10


def test_setup_and_teardown_are_told_apart(seen: Seen) -> None:
    made, work, ended = (facts(seen("weights_of_care"), t) for t in ("make", "work", "end"))
    assert (made.setup, work.setup, ended.setup) == (True, False, False)
    assert (made.teardown, work.teardown, ended.teardown) == (False, False, True)


def test_operators_upstream_groups_and_mapped_tasks(seen: Seen) -> None:
    transcript = seen("full")
    shell, size = facts(transcript, "shell"), facts(transcript, "size")
    assert (shell.operator, shell.callbacks) == ("BashOperator", ["on_success_callback"])
    assert shell.upstream == ["first", "outer.inner.leaf"]
    assert facts(transcript, "outer.inner.leaf").group == "outer.inner"
    assert (size.mapped, size.upstream, size.operator) == (True, ["first"], "@task")
    assert size.line == PROBES["full"].line("def size") - 1


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_next_three_runs(name: str, seen: Seen) -> None:
    dag = seen(f"when_{name}").dag
    assert dag is not None
    _, wanted = SCHEDULES[name]
    times = [datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=UTC) for text in wanted]
    assert [moment(text) for text in dag.next_runs] == times
    assert dag.catchup is (name == "caught_up")
    assert (dag.start_date is None) == (name == "none")


@pytest.mark.parametrize("name", ERRORS)
def test_a_file_that_does_not_load(name: str, seen: Seen) -> None:
    transcript, probe = seen(f"bad_{name}"), PROBES[f"bad_{name}"]
    _, kind, marker = ERRORS[name]
    error = transcript.import_error
    assert error is not None
    assert error.type == kind
    assert error.message
    if marker:
        line = probe.line(f"# {marker}")
        assert (error.line, error.text) == (line, probe.text.splitlines()[line - 1].strip())
    assert (transcript.dag, transcript.dag_ids, transcript.runs) == (None, [], [])
    assert transcript.breach is None


def test_an_error_is_told_without_the_paths_of_the_machine(seen: Seen) -> None:
    error = seen("bad_syntax").import_error
    assert error is not None
    assert "/" not in error.message


@pytest.mark.parametrize("name", DAGS)
def test_which_dags_are_in_the_file(name: str, seen: Seen) -> None:
    transcript = seen(f"dags_{name}")
    _, found = DAGS[name]
    assert transcript.import_error is None
    assert transcript.dag_ids == found
    assert (transcript.dag is not None) == ("probe" in found)


def test_the_clock_stands_at_the_moment_of_the_scenario(seen: Seen) -> None:
    """The next run of an hourly DAG is the one that is due at that moment."""
    dag = seen("when_hourly").dag
    assert dag is not None
    assert moment(dag.next_runs[0]) == DAY
