"""Virtual time: waiting costs nothing, and every clock shows that it was waited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from probing import Probe, Seen, about, gaps, length, source, states

from grader.judge.view import moment

RETRIES = source(
    """
    @task(retries=2, retry_delay=timedelta(minutes=1))
    def a_minute():
        raise ValueError

    @task(retries=6, retry_delay=timedelta(hours=1))
    def six_hours():
        raise ValueError

    @task(
        retries=4,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2,
        max_retry_delay=timedelta(minutes=9),
    )
    def longer_and_longer():
        raise ValueError

    a_minute() >> six_hours.override(trigger_rule="all_failed")() >> longer_and_longer.override(
        trigger_rule="all_failed"
    )()
    """
)
SLEEPS = source(
    """
    @task
    def sleeps():
        clocks = [time.time(), time.monotonic(), datetime.now(UTC).timestamp()]
        clocks += [datetime.now().timestamp(), time.perf_counter()]
        time.sleep(1800)
        sleep(1800)  # imported by name
        after = [time.time(), time.monotonic(), datetime.now(UTC).timestamp()]
        after += [datetime.now().timestamp(), time.perf_counter()]
        return [b - a for a, b in zip(clocks, after)] + [after[2] - after[0], after[3] - after[0]]

    @task
    async def sleeps_async():
        import asyncio

        before, woken = time.time(), []

        async def nap(minutes):
            await asyncio.sleep(60 * minutes)
            woken.append([minutes, (time.time() - before) // 60])

        await asyncio.gather(nap(60), nap(5), nap(30))
        try:
            await asyncio.wait_for(asyncio.sleep(7200), timeout=600)
        except TimeoutError:
            woken.append(["timeout", (time.time() - before) // 60])
        return woken

    @task
    async def blocks_the_loop():
        import asyncio, threading

        early = asyncio.create_task(asyncio.sleep(300))
        await asyncio.sleep(0)
        before, thread = time.time(), threading.Thread(target=time.sleep, args=(600,))
        thread.start()
        thread.join()
        await early
        return time.time() - before

    @task
    def sleeps_in_threads():
        import threading

        before, woken = time.time(), []

        def nap(minutes):
            together.wait()
            time.sleep(60 * minutes)
            woken.append([minutes, (time.time() - before) // 60])

        together = threading.Barrier(3)
        threads = [threading.Thread(target=nap, args=(n,)) for n in (60, 5, 30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return woken

    @task(execution_timeout=timedelta(minutes=5), retries=1, retry_delay=timedelta(minutes=1))
    def too_long():
        time.sleep(3600)  # cut at once

    @task(execution_timeout=timedelta(minutes=5))
    def too_long_in_steps():
        while True:
            time.sleep(20)  # cut in steps

    @task(execution_timeout=timedelta(minutes=5))
    def in_time():
        time.sleep(240)

    @task
    def no_timer_is_left():
        time.sleep(600)

    @task
    def backwards():
        time.sleep(-1)

    sleeps(), sleeps_async(), blocks_the_loop(), sleeps_in_threads()
    too_long(), too_long_in_steps()
    in_time() >> no_timer_is_left()
    backwards()
    """,
    before="from time import sleep",
)
SENSORS = source(
    """
    @task
    def start():
        Path("start").write_text(str(time.time()))

    def due(minutes):
        return time.time() - float(Path("start").read_text()) >= 60 * minutes

    @task.sensor(poke_interval=120, timeout=3600, mode="poke")
    def pokes():
        print("poke now")
        return due(5)

    @task.sensor(poke_interval=600, timeout=86400, mode="reschedule")
    def comes_back():
        print("came back")
        return due(30)

    @task.sensor(poke_interval=60, timeout=600, mode="reschedule")
    def never():
        return False

    @task.sensor(poke_interval=60, timeout=600, mode="poke", soft_fail=True)
    def never_mind():
        return False

    start() >> pokes() >> comes_back() >> never() >> never_mind.override(trigger_rule="all_done")()
    """,
    before="from pathlib import Path",
)
PROBES = {
    "retries": Probe(RETRIES),
    "sleeps": Probe(SLEEPS),
    "sensors": Probe(SENSORS),
}


def returned(seen: Seen, probe: str, task_id: str):
    """The value that a task of one try returned."""
    return seen.only_try(probe, task_id).xcoms["return_value"].json_value


def test_retries_are_a_minute_apart(seen: Seen) -> None:
    tries = seen.tries("retries", "a_minute")
    assert [t.state for t in tries] == ["up_for_retry", "up_for_retry", "failed"]
    assert all(about(gap, minutes=1) for gap in gaps(tries)), list(gaps(tries))


def test_six_hours_of_retries_take_seconds(seen: Seen) -> None:
    tries = seen.tries("retries", "six_hours")
    assert len(tries) == 7
    assert all(about(gap, hours=1) for gap in gaps(tries)), list(gaps(tries))
    span = moment(tries[-1].start) - moment(tries[0].start)
    assert timedelta(hours=6) <= span < timedelta(hours=6, minutes=2)
    assert seen("retries").timings["scenario"] < 60


def test_a_growing_delay_grows_and_is_capped(seen: Seen) -> None:
    found = list(gaps(seen.tries("retries", "longer_and_longer")))
    assert len(found) == 4
    for number, gap in enumerate(found[:3]):
        low, high = timedelta(minutes=2**number), timedelta(minutes=2 ** (number + 1))
        assert low <= gap <= high + timedelta(seconds=20), (number, gap)
    assert about(found[3], minutes=9) or found[3] < timedelta(minutes=9)
    assert found[3] >= timedelta(minutes=8)
    assert found == sorted(found)


def test_every_clock_shows_the_same_hour(seen: Seen) -> None:
    *passed, aware, local = returned(seen, "sleeps", "sleeps")
    assert len(passed) == 5
    assert all(3600 <= seconds < 3620 for seconds in passed), passed
    assert abs(aware) < 1 and abs(local) < 1
    assert about(length(seen.only_try("sleeps", "sleeps")), hours=1)
    assert seen("sleeps").timings["scenario"] < 60


@pytest.mark.parametrize("task_id", ["sleeps_async", "sleeps_in_threads"])
def test_who_sleeps_side_by_side_wakes_in_order(task_id: str, seen: Seen) -> None:
    """An hour in all, not an hour and thirty-five minutes; a timeout cuts a sleep short."""
    woken = returned(seen, "sleeps", task_id)
    assert woken[:3] == [[5, 5], [30, 30], [60, 60]]
    assert woken[3:] == ([["timeout", 70]] if task_id == "sleeps_async" else [])


@pytest.mark.parametrize(
    ("task_id", "count", "marker"),
    [("too_long", 2, "# cut at once"), ("too_long_in_steps", 1, "# cut in steps")],
)
def test_a_virtual_sleep_is_cut_by_the_time_limit_of_the_task(
    task_id: str, count: int, marker: str, seen: Seen
) -> None:
    tries = seen.tries("sleeps", task_id)
    assert len(tries) == count
    for attempt in tries:
        assert attempt.error is not None
        assert attempt.error.type == "AirflowTaskTimeout"
        assert attempt.error.line == PROBES["sleeps"].line(marker)
        assert about(length(attempt), minutes=5), length(attempt)


def test_a_task_within_its_time_limit(seen: Seen) -> None:
    state = states(seen.run("sleeps"))
    assert (state["in_time"], state["no_timer_is_left"]) == ("success", "success")
    assert about(length(seen.only_try("sleeps", "in_time")), minutes=4)
    assert about(length(seen.only_try("sleeps", "no_timer_is_left")), minutes=10)


def test_a_thread_may_hold_the_loop_up(seen: Seen) -> None:
    assert 595 < returned(seen, "sleeps", "blocks_the_loop") < 630


def test_time_does_not_run_backwards(seen: Seen) -> None:
    error = seen.only_try("sleeps", "backwards").error
    assert error is not None
    assert (error.type, error.message) == ("ValueError", "sleep length must be non-negative")


def test_a_sensor_that_pokes(seen: Seen) -> None:
    pokes = seen.only_try("sensors", "pokes")
    assert pokes.output.count("poke now\n") == 4
    assert pokes.state == "success"
    assert about(length(pokes), minutes=6)


def test_a_sensor_that_comes_back_is_one_try(seen: Seen) -> None:
    back = seen.only_try("sensors", "comes_back")
    assert (back.number, back.state) == (1, "success")
    assert back.output.count("came back") == 4
    assert about(length(back), minutes=30)


def test_a_sensor_gives_up_when_its_time_is_over(seen: Seen) -> None:
    never, never_mind = seen.only_try("sensors", "never"), seen.only_try("sensors", "never_mind")
    assert never.error is not None
    assert (never.state, never.error.type) == ("failed", "AirflowSensorTimeout")
    assert (never_mind.state, never_mind.number) == ("skipped", 1)
    assert timedelta(minutes=10) <= length(never) < timedelta(minutes=12)
    assert timedelta(minutes=10) <= length(never_mind) < timedelta(minutes=12)
