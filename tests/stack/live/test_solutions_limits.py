"""Part 10: a real scheduler keeps to the pool, and Prometheus says so.

The grader works out what would run when. Here two runs take place, one after the other.
"""

from __future__ import annotations

import json

import pytest
from clients import eventually
from conftest import TEMPORARY, Stack
from nights import GPU, Nights

SECONDS = 400  # the run of last night takes a good minute, the one after it more than two
POOL = '{pool_name="gpu_pool"}'
ROOM = TEMPORARY / "heron" / GPU / "machine_room"
STARVING = "AirflowPoolStarving"


@pytest.fixture(scope="module")
def over(solved: Stack, nights: Nights) -> str:
    """The id of the run that was triggered, once it has ended."""
    solved.airflow.wait(GPU, nights.runs[GPU], SECONDS)
    return nights.runs[GPU]


def series(stack: Stack, expression: str) -> list[tuple[float, float]]:
    """Times and values of the one series that an expression has had; nothing if there was none."""
    found = stack.prometheus.last_minutes(expression)
    assert len(found) <= 1, found
    return [(float(at), float(value)) for one in found for at, value in one["values"]]


def streak(times: list[float], end: float) -> float:
    """When that began which led to `end` without a gap. Values are 15 seconds apart."""
    begin = end
    for at in sorted(times, reverse=True):
        if 0 < begin - at < 20:
            begin = at
    return begin


def test_both_runs_succeed_one_after_the_other(solved: Stack, over: str) -> None:
    scheduled, triggered = solved.airflow.runs(GPU)
    assert triggered["dag_run_id"] == over
    assert (scheduled["state"], triggered["state"]) == ("success", "success")
    assert triggered["start_date"] >= scheduled["end_date"]


def test_a_training_that_fails_is_tried_again_and_no_other(solved: Stack, over: str) -> None:
    told = solved.airflow.get(f"/dags/{GPU}/dagRuns/{over}/taskInstances")["task_instances"]
    tries = {ti["task_id"]: ti["try_number"] for ti in told}
    assert tries.pop("gpu.train_roaming") == 2
    assert set(tries.values()) == {1}


def test_never_more_than_two_run_in_the_pool(solved: Stack, over: str) -> None:
    running = [value for _, value in series(solved, f"airflow_pool_running_slots{POOL}")]
    assert max(running) == 2, running
    held = f"airflow_pool_running_slots{POOL} + airflow_pool_queued_slots{POOL}"
    assert max(value for _, value in series(solved, held)) == 2


def test_no_gpu_was_taken_twice(over: str) -> None:
    """Prometheus looks every 15 seconds. The logbook misses nothing."""
    taken: set[str] = set()
    for line in (ROOM / "logbook.jsonl").read_text().splitlines():
        note = json.loads(line)
        if note["event"] == "taken":
            assert note["gpu"] not in taken, line
            taken.add(note["gpu"])
        else:
            taken.discard(note["gpu"])
    assert taken == set()


def test_the_alert_fires_after_a_minute_of_waiting_and_clears(solved: Stack, over: str) -> None:
    def alert(state: str) -> list[float]:
        """When it was in this state, for this pool."""
        name = f'ALERTS{{alertname="{STARVING}", alertstate="{state}", pool_name="gpu_pool"}}'
        return [at for at, _ in series(solved, name)]

    (fired, *_) = eventually(lambda: alert("firing"), seconds=30)
    assert 45 <= fired - streak(alert("pending"), fired) <= 90
    eventually(
        solved.prometheus.firing,
        lambda alerts: STARVING not in {a["labels"]["alertname"] for a in alerts},
        seconds=90,
    )
    others = f'ALERTS{{alertname="{STARVING}", pool_name!="gpu_pool"}}'
    assert solved.prometheus.last_minutes(others) == []
    assert solved.inbox.about(f"] {STARVING}", "gpu_pool")
