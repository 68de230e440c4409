"""What a check sees of a transcript, and the sentence it gets where something is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grader.judge import NotPassed, Observation
from grader.judge.view import names
from grader.scenario import PlannedRun, Scenario
from grader.transcript import (
    AssetEvent,
    DagFacts,
    Error,
    Run,
    Table,
    TaskFacts,
    TaskInstance,
    Transcript,
    Try,
    Value,
)

DAY = "2024-01-01T02:0{}:00+00:00"


def value(given, is_json=True):
    return Value(
        is_json=is_json, json_value=given if is_json else None,
        type=type(given).__name__, repr=repr(given),
    )  # fmt: skip


def facts(task_id, *upstream, line=10):
    return TaskFacts(
        task_id=task_id, operator="x", line=line, upstream=list(upstream),
        trigger_rule="all_success", retries=2, retry_delay=60.0,
        retry_exponential_backoff=False, pool="default_pool",
    )  # fmt: skip


def attempt(task_id, number=1, state="success", start=0, end=None, **more):
    end = None if end is None else DAY.format(end)
    return Try(
        task_id=task_id, number=number, start=DAY.format(start), end=end, state=state, **more
    )


def run_of(states, tries, **more):
    instances = [TaskInstance(task_id=t, state=s) for t, s in states.items()]
    return Run(
        dag_id="train",
        logical_date=DAY.format(0),
        start=DAY.format(0),
        state="success",
        instances=instances,
        tries=tries,
        **more,
    )


def observe(*runs, dag=True):
    found = DagFacts(
        dag_id="train", line=5, catchup=False, tags=[], params={},
        next_runs=["2024-01-02T02:00:00+00:00"],
        tasks=[facts("load"), facts("train", "load", line=20), facts("ship", "train", line=30)],
    )  # fmt: skip
    return Observation(
        Scenario(name="s", runs=(PlannedRun(logical_date=datetime(2024, 1, 1, tzinfo=UTC)),)),
        Transcript(scenario="s", dag=found if dag else None, runs=list(runs)),
    )


FAILING = run_of(
    {"load": "success", "train": "failed", "ship": "upstream_failed"},
    [
        attempt("load", end=0, xcoms={"return_value": value({"rows": 3}), "f": value({1}, False)}),
        attempt("train", 1, "up_for_retry", 1, 2, output="first"),
        attempt("train", 2, "failed", 3, 4, output="second",
                error=Error(type="ValueError", message="too bad", line=24)),
    ],
)  # fmt: skip


def test_a_run_answers_what_ran_and_how_it_ended():
    run = observe(FAILING).run
    assert run.state == "success"
    assert run.ran == ["load", "train"]
    assert run.states == {"load": "success", "train": "failed", "ship": "upstream_failed"}
    assert run.task("train").ran is True
    assert run.task("ship").ran is False


def test_a_dag_answers_edges_and_next_runs():
    dag = observe(FAILING).dag
    assert dag.edges == {("load", "train"), ("train", "ship")}
    assert dag.next_runs == [datetime(2024, 1, 2, 2, tzinfo=UTC)]


def test_the_gap_between_tries_is_from_end_to_start():
    assert observe(FAILING).run.task("train").gaps == [timedelta(minutes=1)]
    assert observe(FAILING).run.task("load").gaps == []


def test_a_try_that_never_came_back_makes_no_gap():
    run = run_of({"load": "failed"}, [attempt("load", 1, None), attempt("load", 2, "failed", 5, 6)])
    assert observe(run).run.task("load").gaps == []


def test_the_last_try_speaks_for_the_task():
    train = observe(FAILING).run.task("train")
    assert train.output == "second"
    assert train.error.message == "too bad"
    assert train.line == 24
    assert observe(FAILING).run.task("ship").line == 30


def test_values_that_are_json_can_be_read():
    load = observe(FAILING).run.task("load")
    assert load.xcom() == {"rows": 3}
    assert load.field("rows") == 3
    assert load.xcoms == {"return_value": {"rows": 3}}
    assert observe(FAILING).run.task("ship").xcoms == {}


@pytest.mark.parametrize(
    ("ask", "sentence", "line"),
    [
        (lambda run: run.task("deploy"), "no task `deploy`. Its tasks: `load`, `train`", 5),
        (lambda run: run.task("load").xcom("size"), "`load` pushed no XCom named `size`", 10),
        (lambda run: run.task("load").xcom("f"), "`load` handed over a set: {1}", 10),
        (lambda run: run.task("load").field("size"), "`load` returned {'rows': 3}", 10),
        (lambda run: run.task("train").xcom(), "`train` raised ValueError: too bad", 24),
        (lambda run: run.task("ship").xcom(), "`ship` was never started", 30),
    ],
)
def test_what_is_missing_is_said_in_the_learners_words(ask, sentence, line):
    with pytest.raises(NotPassed) as raised:
        ask(observe(FAILING).run)
    assert sentence in raised.value.happened
    assert raised.value.expected
    assert raised.value.line == line


def test_a_task_that_returned_nothing_is_told_so():
    run = run_of({"load": "success"}, [attempt("load", end=0)])
    with pytest.raises(NotPassed, match="`load` returned nothing"):
        observe(run).run.task("load").xcom()


def test_a_table_is_read_as_rows_and_what_is_not_there_is_said():
    eggs = Table(columns=["day", "n"], rows=[["mon", 3], ["tue", None]], total=2)
    run = observe(run_of({}, [], databases={"a.db": {"eggs": eggs}, "b.db": {}})).run
    assert run.rows("a.db", "eggs") == [{"day": "mon", "n": 3}, {"day": "tue", "n": None}]
    with pytest.raises(NotPassed, match=r"no table `milk` in `a\.db`: it has `eggs`"):
        run.rows("a.db", "milk")
    with pytest.raises(NotPassed, match=r"`b\.db`: there is no such database"):
        run.rows("b.db", "eggs")


def test_a_file_with_several_dags_is_asked_by_name():
    first = observe(FAILING)
    other = first.transcript.dag.model_copy(update={"dag_id": "ship", "tasks": []})
    event = AssetEvent(asset="model", extra=value({}))
    started = run_of({}, [], asset_events=[event]).model_copy(update={"dag_id": "ship"})
    found = Observation(
        first.scenario,
        first.transcript.model_copy(update={"others": [other], "runs": [FAILING, started]}),
        "train",
        several_dags=True,
    )
    assert list(found.dags) == ["train", "ship"]
    assert [run.dag.data.dag_id for run in found.runs] == ["train", "ship"]
    assert [run.updated for run in found.runs_of("ship")] == [["model"]]
    with pytest.raises(NotPassed, match="Airflow found `train` and `ship`") as raised:
        found.runs_of("press")
    assert raised.value.expected == "A DAG named `press`."


def test_no_dag_is_not_passed():
    with pytest.raises(NotPassed):
        _ = observe(dag=False).dag


def test_a_run_that_broke_off_is_not_passed():
    broken = run_of({}, [], error=Error(type="KeyError", message="'x'", line=9))
    with pytest.raises(NotPassed, match="KeyError") as raised:
        _ = observe(broken).run
    assert raised.value.line == 9


def test_asking_for_the_run_of_many_is_the_checks_own_fault():
    """Never blamed on the submission: it is not `NotPassed`."""
    observation = observe(FAILING, FAILING)
    assert len(observation.runs) == 2
    with pytest.raises(ValueError, match="has 2 runs"):
        _ = observation.run


@pytest.mark.parametrize(
    ("items", "text"),
    [([], "none"), (["a"], "`a`"), (["a", "b"], "`a` and `b`"), (list("abc"), "`a`, `b` and `c`")],
)
def test_names(items, text):
    assert names(items) == text
