"""A run is interrupted at the moment when a task has changed a file: killed, or held meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from probing import DAY, Probe, Seen, source, states, tries_of

from grader.judge.view import moment
from grader.scenario import Interruption, PlannedRun, Scenario
from grader.transcript import Run, Transcript

# Two steps for each run, of which the first is done when the second is not.
BOOKS = """
def note(name, day):
    with open(name, "a") as file:
        file.write(day + "\\n")


def lines(name):
    return open(name).read().split() if os.path.exists(name) else []
"""
KEEPS = source(
    """
    @task(retries=2, retry_delay=timedelta(minutes=30))
    def keep(ds=None):
        if ds in lines("done"):
            return lines("books")
        note("books", ds)
        note("done", ds)
        return lines("books")

    keep()
    """,
    before=BOOKS,
)
# A second one finds the lock of the first, gives up, and tries again.
LOCKS = source(
    """
    @task(retries=2, retry_delay=timedelta(minutes=30))
    def keep(ds=None):
        if os.path.exists("lock"):
            raise RuntimeError("locked")
        note("lock", ds)
        before = lines("books")
        note("books", ds)
        os.remove("lock")
        return before

    keep()
    """,
    before=BOOKS,
)
WRITES_ANEW = source(
    """
    @task
    def keep(ds=None):
        note("other", ds)
        with open("fresh", "w") as file:
            file.write(ds)
        if "copy" in HOW:
            shutil.copy("fresh", "books")
        else:
            os.replace("fresh", "books")

    keep()
    """,
    before="import shutil\n" + BOOKS,
)
THREADS = source(
    """
    @task
    def keep(ds=None):
        def both():
            note("books", ds)
            note("done", ds)

        worker = threading.Thread(target=both)
        worker.start()
        worker.join()

    keep()
    """,
    before="import threading\n" + BOOKS,
)
UNSEEN = source(
    """
    @task
    def keep(ds=None):
        sys.settrace(None)
        note("books", ds)
        note("done", ds)

    keep()
    """,
    before="import sys\n" + BOOKS,
)
READS = source(
    """
    @task
    def look():
        return sorted(os.listdir("."))

    look()
    """
)


def story(*interruptions: tuple[str, int] | None) -> tuple[Scenario, ...]:
    """A run on each day, with its interruption; the same day again after one that was killed."""
    runs, day = [], DAY
    for found in interruptions:
        plan = Interruption(kind=found[0], change=found[1]) if found else None  # type: ignore[arg-type]
        runs.append(PlannedRun(logical_date=day, interruption=plan))
        if plan is None or plan.kind == "pause":
            day += timedelta(days=1)
    return (Scenario(name="run", runs=tuple(runs)),)


def one_file() -> tuple[Scenario, ...]:
    """A run that is let alone, and one that is killed when a certain file changes."""
    plan = Interruption(kind="kill", file="books")
    days = (DAY, DAY + timedelta(days=1))
    runs = [
        PlannedRun(logical_date=d, interruption=p) for d, p in zip(days, (None, plan), strict=True)
    ]
    return (Scenario(name="run", runs=tuple(runs)),)


PROBES = {
    "after_the_first": Probe(KEEPS, story(("kill", 1), None)),
    "after_the_second": Probe(KEEPS, story(("kill", 2), None)),
    "never": Probe(KEEPS, story(("kill", 9), None)),
    "last": Probe(KEEPS, story(None, ("kill", 1))),
    "held": Probe(KEEPS, story(("pause", 1), None, None)),
    "held_never": Probe(KEEPS, story(("pause", 9), None)),
    "locked": Probe(LOCKS, story(("pause", 1), None)),
    "copied": Probe(WRITES_ANEW.replace("HOW", "'copy'"), one_file()),
    "replaced": Probe(WRITES_ANEW.replace("HOW", "''"), one_file()),
    "in_a_thread": Probe(THREADS, story(("kill", 1))),
    "unseen": Probe(UNSEEN, story(("kill", 1))),
    "nothing_to_see": Probe(READS, story(("kill", 1), ("pause", 1), None)),
}


def value(run: Run) -> Any:
    """What the only task returned in the end."""
    return run.tries[-1].xcoms["return_value"].json_value


def whole(seen: Seen, name: str) -> Transcript:
    transcript = seen(name)
    assert transcript.breach is None, transcript.breach
    return transcript


def test_a_run_is_killed_between_two_steps_and_the_next_one_finds_what_it_left(seen: Seen) -> None:
    first, second = whole(seen, "after_the_first").runs
    assert (first.killed, first.state, first.instances) == (True, None, [])
    (attempt,) = first.tries
    assert (attempt.task_id, attempt.state, attempt.end) == ("keep", None, None)
    assert (second.killed, second.state, value(second)) == (False, "success", ["2024-03-05"] * 2)


def test_the_moment_is_counted_in_changes(seen: Seen) -> None:
    first, second = whole(seen, "after_the_second").runs
    assert first.killed and value(second) == ["2024-03-05"]


def test_a_moment_that_never_comes_interrupts_nothing(seen: Seen) -> None:
    first, second = whole(seen, "never").runs
    assert (first.killed, first.state, second.state) == (False, "success", "success")


def test_the_last_run_may_be_the_one_that_is_killed(seen: Seen) -> None:
    first, second = whole(seen, "last").runs
    assert (first.state, second.killed, second.state) == ("success", True, None)
    assert [f.path for f in whole(seen, "last").files] == ["books", "done"]


def test_another_run_takes_place_in_the_middle_of_one_that_is_held(seen: Seen) -> None:
    held, beside, after = whole(seen, "held").runs
    assert [r.state for r in (held, beside, after)] == ["success"] * 3
    assert value(held) == value(beside) == ["2024-03-05", "2024-03-06"]
    assert value(after) == ["2024-03-05", "2024-03-06", "2024-03-07"]


def test_where_nothing_is_held_the_other_run_comes_after_it(seen: Seen) -> None:
    first, second = whole(seen, "held_never").runs
    assert value(first) == ["2024-03-05"] and value(second) == ["2024-03-05", "2024-03-06"]


def test_one_that_waits_for_a_retry_lets_the_held_one_go_on(seen: Seen) -> None:
    held, beside = whole(seen, "locked").runs
    assert states(held) == states(beside) == {"keep": "success"}
    first, second = tries_of(beside, "keep")
    assert first.error is not None and first.error.message == "locked"
    assert moment(second.start) - moment(first.start) > timedelta(minutes=29)
    assert value(held) == [] and value(beside) == ["2024-03-05"]


def test_looking_changes_nothing_so_nothing_is_interrupted(seen: Seen) -> None:
    runs = whole(seen, "nothing_to_see").runs
    assert [r.killed for r in runs] == [False] * 3 and [r.state for r in runs] == ["success"] * 3


def test_a_thread_is_watched_as_well(seen: Seen) -> None:
    (run,) = whole(seen, "in_a_thread").runs
    assert run.killed and [f.path for f in whole(seen, "in_a_thread").files] == ["books"]


def test_who_turns_the_watch_off_has_interfered(seen: Seen) -> None:
    breach = seen("unseen").breach
    assert breach is not None
    assert (breach.limit, breach.task_id) == ("tampering", "keep")


def test_one_that_writes_a_file_anew_can_be_killed_while_it_is_empty(seen: Seen) -> None:
    copied, replaced = whole(seen, "copied"), whole(seen, "replaced")
    assert [run.killed for run in (*copied.runs, *replaced.runs)] == [False, True] * 2
    found = [{f.path: f.text for f in t.files}["books"] for t in (copied, replaced)]
    assert found == ["", "2024-03-06"]
