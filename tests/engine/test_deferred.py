"""Tasks that give their place away while they wait: the legs before and after are one try."""

from __future__ import annotations

from datetime import timedelta

from probing import DAY, Probe, Seen, about, length, source, states

from grader.judge.view import moment
from grader.scenario import Limits

DEFERS = source(
    """
    wait = TimeDeltaSensor(task_id="wait", delta=timedelta(hours=2), deferrable=True)
    until = DateTimeSensorAsync(task_id="until", target_time="{{ logical_date.add(hours=5) }}")

    @task
    def after():
        return datetime.now(UTC).isoformat()

    wait >> until >> after()
    """,
    before="""
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
    from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
    """,
)
OWN = source(
    """
    news = Waits(task_id="news", trigger=Clock(90))
    broken = Waits(task_id="broken", trigger=Clock(-1), retries=2)

    @task(trigger_rule="all_failed")
    def after(): ...

    news
    broken >> after()
    """,
    before="""
    import asyncio

    from airflow.sdk import BaseOperator
    from airflow.triggers.base import BaseTrigger, TriggerEvent


    class Clock(BaseTrigger):
        def __init__(self, minutes):
            super().__init__()
            self.minutes = minutes

        def serialize(self):
            return f"{__name__}.Clock", {"minutes": self.minutes}

        async def run(self):
            if self.minutes < 0:
                raise ConnectionError("the line is dead")  # in the trigger
            if self.minutes == 0:
                await asyncio.Event().wait()
            await asyncio.sleep(60 * self.minutes)
            yield TriggerEvent({"waited": self.minutes})


    class Waits(BaseOperator):
        def __init__(self, trigger, **more):
            super().__init__(**more)
            self.trigger = trigger

        def execute(self, context):
            print("first leg")
            self.defer(trigger=self.trigger, method_name="resume")

        def resume(self, context, event):
            print("second leg")
            return event["waited"]
    """,
)
PROBES = {
    "defers": Probe(DEFERS),
    "own": Probe(OWN),
    "hangs": Probe(OWN.replace("Clock(90)", "Clock(0)"), limits=Limits(seconds=6)),
}


def test_a_deferred_task_is_one_try_that_waits(seen: Seen) -> None:
    wait, until = seen.only_try("defers", "wait"), seen.only_try("defers", "until")
    assert (wait.state, until.state) == ("success", "success")
    assert about(length(wait), hours=2), length(wait)
    after = seen.only_try("defers", "after").xcoms["return_value"].json_value
    assert about(moment(until.end or "") - DAY, hours=5), until.end
    assert about(moment(after) - DAY, hours=5)
    assert seen("defers").timings["scenario"] < 60


def test_an_event_is_handed_on(seen: Seen) -> None:
    news = seen.only_try("own", "news")
    assert (news.state, news.number) == ("success", 1)
    assert news.xcoms["return_value"].json_value == 90
    assert "first leg" in news.output and "second leg" in news.output
    assert about(length(news), minutes=90)


def test_a_trigger_that_raises_is_the_tasks_own_error(seen: Seen) -> None:
    """Nobody tampered with anything."""
    broken = seen.only_try("own", "broken")
    assert broken.error is not None
    assert (broken.state, broken.error.type) == ("failed", "ConnectionError")
    assert broken.error.line == PROBES["own"].line("# in the trigger")
    found = states(seen.run("own"))
    assert (found["broken"], found["after"]) == ("failed", "success")


def test_a_trigger_that_never_fires_names_its_task(seen: Seen) -> None:
    breach = seen("hangs").breach
    assert breach is not None
    assert (breach.limit, breach.task_id) == ("seconds", "news")
    assert timedelta(0) <= length(seen("hangs").runs[0].tries[-1]) < timedelta(seconds=10)
    assert DAY.date().isoformat() in seen("hangs").runs[0].tries[-1].start
