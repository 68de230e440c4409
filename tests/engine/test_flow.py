"""What the shape of a DAG does in a run: mapped tasks, groups, branches, callbacks."""

from __future__ import annotations

import pytest
from probing import DAY, Probe, Seen, facts, instances, ran, source, states, tries_of

MAPPED = source(
    """
    @task
    def rows(params):
        return params["rows"]

    @task(retries=1, retry_delay=timedelta(seconds=30))
    def double(n, ti):
        print(f"row {n}")
        if n == 3 and ti.try_number == 1:
            raise ValueError("three at first")
        if n == 0:
            raise ValueError("zero for good")
        return 2 * n

    @task(trigger_rule="all_done")
    def add(found):
        return sum(found)

    @task_group
    def each(n):
        @task
        def inner(n):
            return n + 1

        @task
        def outer(n):
            return n * 10

        outer(inner(n))

    add(double.expand(n=rows()))
    each.expand(n=[1, 2])
    """,
    'schedule=None, params={"rows": [1, 3, 0]}',
)
BRANCH = source(
    """
    @task.branch
    def choose(params):
        return params["way"]

    @task
    def left(): ...

    @task
    def after_left(): ...

    @task
    def right(): ...

    @task(trigger_rule="none_failed_min_one_success")
    def join(): ...

    @task.short_circuit
    def stop():
        return False

    @task
    def never(): ...

    @task(trigger_rule="all_done")
    def at_the_end(): ...

    @task(trigger_rule="one_failed")
    def alarm(): ...

    way = choose()
    l, r = left(), right()
    way >> [l, r] >> join()
    l >> after_left()
    stop() >> never()
    r >> at_the_end()
    r >> alarm()
    """,
    'schedule=None, params={"way": "right"}',
)
CALLBACKS = source(
    """
    @task(on_success_callback=note("success"), on_execute_callback=note("execute"))
    def good(): ...

    @task(
        retries=1,
        retry_delay=timedelta(seconds=10),
        on_retry_callback=note("retry"),
        on_failure_callback=[note("failure"), note("failure again")],
    )
    def bad():
        raise ValueError("bad")

    @task(on_success_callback=broken)
    def fine(): ...

    @task(on_skipped_callback=note("skipped"))
    def skips():
        from airflow.sdk.exceptions import AirflowSkipException

        raise AirflowSkipException

    good() >> bad()
    fine(), skips()
    """,
    'schedule=None, on_failure_callback=note("dag failed"), on_success_callback=note("dag fine")',
    before="""
    def note(word):
        def write(context):
            print(f"told of {word}")
            with open("notes.txt", "a") as file:
                print(word, getattr(context.get("ti"), "task_id", None), file=file)

        return write


    def broken(context):
        raise RuntimeError("the callback itself is broken")
    """,
)
PROBES = {
    "mapped": Probe(MAPPED),
    "none": Probe(MAPPED, (ran(conf={"rows": []}),)),
    "branch": Probe(
        BRANCH,
        (ran("right"), ran("left", conf={"way": "left"}), ran("lost", conf={"way": "nowhere"})),
    ),
    "callbacks": Probe(CALLBACKS),
}


def test_each_mapped_instance_has_its_own_tries(seen: Seen) -> None:
    run = seen.run("mapped")
    assert [[t.number for t in tries_of(run, "double", i)] for i in range(3)] == [
        [1],
        [1, 2],
        [1, 2],
    ]
    assert [i.state for i in instances(run, "double")] == ["success", "success", "failed"]
    assert [i.map_index for i in instances(run, "double")] == [0, 1, 2]
    second = tries_of(run, "double", 1)
    assert second[0].error is not None and second[0].error.message == "three at first"
    assert second[1].xcoms["return_value"].json_value == 6
    assert "row 3" in second[0].output and "row 1" not in second[0].output
    assert tries_of(run, "double") == [], "no unmapped instance ran"
    assert seen.only_try("mapped", "add").xcoms["return_value"].json_value == 8
    assert facts(seen("mapped"), "double").retries == 1


def test_a_mapped_group(seen: Seen) -> None:
    found = [
        seen.only_try("mapped", "each.outer", i).xcoms["return_value"].json_value for i in (0, 1)
    ]
    assert found == [20, 30]
    inner, outer = (facts(seen("mapped"), f"each.{name}") for name in ("inner", "outer"))
    assert (inner.group, outer.group, inner.mapped) == ("each", "each", True)
    assert outer.upstream == ["each.inner"]


def test_nothing_to_map_is_skipped(seen: Seen) -> None:
    run = seen.run("none")
    assert [i.state for i in instances(run, "double")] == ["skipped"]
    assert seen.only_try("none", "add").xcoms["return_value"].json_value == 0


def test_the_branch_that_is_not_taken_is_skipped(seen: Seen) -> None:
    found = states(seen.run("branch", "right"))
    assert (found["left"], found["after_left"]) == ("skipped", "skipped")
    assert (found["right"], found["join"]) == ("success", "success")
    assert (found["stop"], found["never"]) == ("success", "skipped")
    assert (found["at_the_end"], found["alarm"]) == ("success", "skipped")
    other = states(seen.run("branch", "left"))
    assert (other["left"], other["right"]) == ("success", "skipped")
    assert (other["join"], other["at_the_end"]) == ("success", "success")
    assert tries_of(seen.run("branch", "left"), "right") == []


def test_a_branch_to_nowhere_fails(seen: Seen) -> None:
    run = seen.run("branch", "lost")
    (choose,) = tries_of(run, "choose")
    assert (choose.state, run.state) == ("failed", "failed")
    assert choose.error is not None and "nowhere" in choose.error.message
    found = states(run)
    assert (found["left"], found["join"]) == ("upstream_failed", "upstream_failed")
    assert {t.task_id for t in run.tries} == {"choose", "stop", "at_the_end", "alarm"}


def test_callbacks_run(seen: Seen) -> None:
    (notes,) = seen("callbacks").files
    assert notes.path == "notes.txt" and notes.text is not None
    told = sorted(notes.text.splitlines())
    assert told == sorted(
        [
            "execute good",
            "success good",
            "retry bad",
            "failure bad",
            "failure again bad",
            "skipped skips",
            "dag failed bad",
        ]
    )
    first, last = seen.tries("callbacks", "bad")
    assert "told of retry" in first.output and "told of failure" not in first.output
    assert "told of failure again" in last.output


def test_a_broken_callback_changes_no_state(seen: Seen) -> None:
    assert states(seen.run("callbacks"))["fine"] == "success"
    assert "the callback itself is broken" in seen.only_try("callbacks", "fine").output


@pytest.mark.parametrize("name", ["mapped", "branch", "callbacks"])
def test_times_are_in_order(name: str, seen: Seen) -> None:
    for run in seen(name, None if name != "branch" else "right").runs:
        assert all(t.end is not None and t.start <= t.end for t in run.tries)
        assert [t.start for t in run.tries] == sorted(t.start for t in run.tries)
        assert run.tries[0].start[:10] == DAY.date().isoformat()
