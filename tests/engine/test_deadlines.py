"""Deadlines are worked out from what is declared and virtual time, and their callbacks called."""

from __future__ import annotations

from datetime import timedelta

from probing import DAY, Probe, Seen, about, ran, source

from grader.judge.view import moment
from grader.scenario import PlannedRun, Scenario
from grader.transcript import Deadline

BEFORE = """
from pathlib import Path
from airflow.sdk import (
    AsyncCallback, DeadlineAlert, DeadlineReference, SyncCallback, Variable,
)


from airflow.sdk.definitions.deadline import VariableInterval


def tell(text, context):
    run, deadline = context["dag_run"], context["deadline"]
    print(text, run["state"], run["end_date"], datetime.now(UTC) - deadline["deadline_time"])
    print("begun", run["start_date"])
    print(run["dag_id"], run["dag_run_id"], Variable.get("place"))


def wrong(context):
    raise ValueError("nobody home")  # in the callback


def without_context():
    print("no context")


async def later(context): ...


class Notifier:
    def __init__(self, text):
        self.text = text

    def __call__(self, context):
        print(self.text, context["dag_run"]["dag_id"])


def alert(reference, interval, callback=None, name=None):
    callback = callback or SyncCallback(tell, kwargs={"text": "late:"})
    return DeadlineAlert(reference=reference, interval=interval, callback=callback, name=name)


QUEUED, LOGICAL = DeadlineReference.DAGRUN_QUEUED_AT, DeadlineReference.DAGRUN_LOGICAL_DATE
"""
SLOW = """
@task
def train():
    time.sleep(3 * 3600)
    if os.environ.get("AIRFLOW_VAR_FAILS"):
        raise ValueError("no")

train()
"""


def with_alerts(*alerts: str) -> str:
    return source(SLOW, f"schedule=None, deadline=[{', '.join(alerts)}]", before=BEFORE)


HOURS = [f"alert(QUEUED, timedelta(hours={h}), name='{h} hours')" for h in (2, 4)]
PROBES = {
    "late": Probe(with_alerts(*HOURS), (ran(variables={"place": "the coop"}),)),
    "failed": Probe(with_alerts(HOURS[1]), (ran(variables={"place": "the coop", "fails": "1"}),)),
    "callbacks": Probe(
        with_alerts(
            "alert(QUEUED, timedelta(hours=1), SyncCallback(wrong))",
            "alert(QUEUED, timedelta(hours=1), SyncCallback(without_context))",
            "alert(QUEUED, timedelta(hours=1), SyncCallback(Notifier, kwargs={'text': 'called'}))",
            "alert(QUEUED, timedelta(hours=1), AsyncCallback(later))",
        )
    ),
    "references": Probe(
        with_alerts(
            "alert(LOGICAL, timedelta(hours=5))",
            "alert(DeadlineReference.FIXED_DATETIME(datetime(2024, 3, 5, 13, tzinfo=UTC)),"
            " timedelta(minutes=30))",
            "alert(DeadlineReference.AVERAGE_RUNTIME(max_runs=3, min_runs=2), timedelta(hours=-1))",
            "alert(QUEUED, VariableInterval('patience'))",
        ),
        (ran("run", *[DAY + timedelta(days=d) for d in range(4)], variables={"patience": "7200"}),),
    ),
    "begun_late": Probe(
        with_alerts("alert(QUEUED, timedelta(hours=2))", "alert(LOGICAL, timedelta(hours=2))"),
        (
            Scenario(
                name="run",
                runs=(PlannedRun(logical_date=DAY, start=DAY + timedelta(hours=5)),),
                variables={"place": "the coop"},
            ),
        ),
    ),
    "queued": Probe(
        with_alerts("alert(QUEUED, timedelta(hours=2))", "alert(QUEUED, timedelta(hours=6))"),
        (
            Scenario(
                name="run",
                runs=(PlannedRun(logical_date=DAY, queued=DAY, start=DAY + timedelta(hours=5)),),
                variables={"place": "the coop"},
            ),
        ),
    ),
    "two_runs": Probe(with_alerts(HOURS[0]), (ran("run", DAY, DAY + timedelta(days=1)),)),
}


def deadlines(seen: Seen, name: str) -> list[Deadline]:
    return seen.run(name).deadlines


def test_a_run_that_takes_too_long_misses_the_deadline_that_has_passed(seen: Seen) -> None:
    two, four = deadlines(seen, "late")
    assert (two.name, two.missed, four.name, four.missed) == ("2 hours", True, "4 hours", False)
    assert timedelta(0) <= moment(two.due) - DAY - timedelta(hours=2) < timedelta(seconds=5)
    assert seen.run("late").state == "success"


def test_the_callback_gets_the_run_as_it_was_at_that_moment(seen: Seen) -> None:
    two, four = deadlines(seen, "late")
    assert two.error is None and four.output == ""
    first, begun, last = two.output.splitlines()
    assert first.startswith("late: running None 0:00:01")
    assert begun.startswith("begun 2024-03-05T12:00:00")
    assert last.startswith("probe manual__2024-03-05") and last.endswith(" the coop")


def test_a_run_that_failed_in_time_misses_its_deadline_later(seen: Seen) -> None:
    """Airflow strikes out only the deadlines of runs that succeed."""
    (late,) = deadlines(seen, "failed")
    assert late.missed and late.output.startswith("late: failed 2024-03-05T15:00")


def test_what_a_callback_raises_is_told_with_its_line(seen: Seen) -> None:
    wrong, bare, notifier, later = deadlines(seen, "callbacks")
    assert wrong.error is not None and wrong.error.type == "ValueError"
    assert wrong.error.line == PROBES["callbacks"].line("# in the callback")
    assert bare.error is None and bare.output == "no context\n"
    assert notifier.output == "called probe\n"
    assert later.error is not None and later.error.type == "ModuleNotFoundError"
    assert seen.run("callbacks").state == "success"


def test_each_reference_is_worked_out_as_airflow_does(seen: Seen) -> None:
    runs = seen("references").runs
    logical, fixed, average, patience = range(4)
    first, third = runs[0].deadlines, runs[2].deadlines
    assert moment(first[logical].due) == DAY + timedelta(hours=5)
    assert moment(first[fixed].due) == DAY + timedelta(hours=1, minutes=30)
    # Two runs of three hours each have to be there before there is an average.
    assert [len(run.deadlines) for run in runs] == [3, 3, 4, 4]
    due = moment(third[average].due) - moment(runs[2].start)
    assert abs(due - timedelta(hours=2)) < timedelta(seconds=30)
    assert abs(moment(third[patience].due) - moment(runs[2].start) - timedelta(hours=2)) < (
        timedelta(seconds=30)
    )


def test_the_deadline_stays_for_the_next_run(seen: Seen) -> None:
    assert [len(run.deadlines) for run in seen("two_runs").runs] == [1, 1]
    dag = seen("two_runs").dag
    assert dag is not None
    (facts,) = dag.deadlines
    assert (facts.name, facts.reference, facts.interval) == (
        "2 hours", "DagRunQueuedAtDeadline", 7200,
    )  # fmt: skip
    assert facts.callback.endswith(".tell") and not facts.asynchronous


def test_a_deadline_is_counted_from_when_the_run_was_made_not_from_its_date(seen: Seen) -> None:
    queued, logical = deadlines(seen, "begun_late")
    assert about(moment(queued.due) - DAY, hours=7)
    assert moment(logical.due) == DAY + timedelta(hours=2)


def test_a_deadline_that_had_passed_before_is_noticed_when_the_run_begins(seen: Seen) -> None:
    _, logical = deadlines(seen, "begun_late")
    assert logical.missed and logical.output.startswith("late: running None 3:00:0")


def test_a_run_that_waits_misses_its_deadline_before_it_begins(seen: Seen) -> None:
    two, six = deadlines(seen, "queued")
    assert [moment(one.due) - DAY for one in (two, six)] == [timedelta(hours=h) for h in (2, 6)]
    first, begun, _ = two.output.splitlines()
    assert first.startswith("late: queued None 0:00:01") and begun == "begun None"
    first, begun, _ = six.output.splitlines()
    assert first.startswith("late: running None 0:00:01")
    assert begun.startswith("begun 2024-03-05T17:00:00")
