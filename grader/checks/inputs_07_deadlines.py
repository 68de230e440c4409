"""The inputs of part 07: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote

from grader.judge import scenario
from grader.scenario import HttpReply, PlannedRun, Scenario

DAG_ID = "training_with_deadline"
WARN, PAGE = timedelta(hours=3), timedelta(hours=4)
TASKS = ("collect_usage", "train_model", "publish_model")
ERRORS = ("the machine ran out of memory", "the disk is full", "a worker was lost")


# --- what is drawn ---


def some_night(rng: Random) -> datetime:
    """02:00 of a day within two years."""
    return datetime(2024, 6, 1, 2, tzinfo=UTC) + timedelta(days=rng.randrange(700))


def usage(rng: Random) -> str:
    """How long customers called, and who left."""
    rows = []
    for customer in rng.sample(range(1000, 10_000), rng.randint(40, 60)):
        left = rng.random() < 0.3
        rows.append(
            f"HM-{customer},{rng.randint(3, 90 if left else 400)},{'yes' if left else 'no'}"
        )
    return "\n".join(["customer_id,minutes,left", *rows]) + "\n"


def night(
    rng: Random,
    *,
    collecting: float,
    training: list[Any],
    api: tuple[str | None, ...] | None,
    begins_after: timedelta = timedelta(),
    waits: bool = False,
) -> Scenario:
    """One run. `api` is the state of each task that Airflow's REST API tells of; None is no API. If
    it `waits`, it was made in time.
    """
    date = some_night(rng)
    token = HttpReply(status=201, body=json.dumps({"access_token": f"{rng.getrandbits(64):x}"}))
    told = [
        {"task_id": task_id, "dag_id": DAG_ID, "state": state, "try_number": int(state is not None)}
        for task_id, state in zip(TASKS, api or (), strict=False)
    ]
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{quote(run_id(date))}/taskInstances"
    body = json.dumps({"task_instances": told, "total_entries": len(told)})
    no_answer = HttpReply(status=503, body="starting", content_type="text/plain")
    return Scenario(
        files={"data/usage.csv": usage(rng)},
        runs=(
            PlannedRun(
                logical_date=date,
                start=date + begins_after,
                queued=date if waits else None,
                conf={"collecting": round(collecting, 2), "training": training},
            ),
        ),
        servers=("smtp", "http"),
        http_replies={
            "/auth/token": (token if api else no_answer,),
            path: (HttpReply(body=body) if api else no_answer,),
        },
        connections={"airflow_api": "{http}"},
    )


def hours(rng: Random, least: float, most: float) -> float:
    """A number of hours, to the minute or so."""
    return round(rng.uniform(least, most), 2)


@scenario("the training takes all night")
def the_training_takes_all_night(rng: Random) -> Scenario:
    """It succeeds between half past six and eight. At five and at six it is running."""
    return night(
        rng,
        collecting=hours(rng, 0.1, 0.4),
        training=[hours(rng, 4.4, 5.5)],
        api=("success", "running", None),
    )


@scenario("a good night")
def a_good_night(rng: Random) -> Scenario:
    """The model is there long before five."""
    return night(
        rng,
        collecting=hours(rng, 0.1, 0.4),
        training=[hours(rng, 1, 2)],
        api=("success", "success", "success"),
    )


@scenario("done at half past five")
def done_at_half_past_five(rng: Random) -> Scenario:
    """The model is there after five and before six."""
    return night(
        rng,
        collecting=hours(rng, 0.2, 0.3),
        training=[hours(rng, 3.1, 3.5)],
        api=("success", "running", None),
    )


@scenario("a night that is made up for")
def a_night_that_is_made_up_for(rng: Random) -> Scenario:
    """Airflow was down. The run begins after seven, a day or two later. Its first task waits."""
    return night(
        rng,
        collecting=hours(rng, 0.1, 0.4),
        training=[hours(rng, 1, 2)],
        api=(rng.choice(["queued", "scheduled"]), None, None),
        begins_after=timedelta(days=rng.randint(1, 2), hours=5, minutes=rng.randint(1, 55)),
    )


@scenario("a night in the queue")
def a_night_in_the_queue(rng: Random) -> Scenario:
    """There is no room for another run. This one waits from two on, and begins after six."""
    return night(
        rng,
        collecting=hours(rng, 0.1, 0.4),
        training=[hours(rng, 1, 2)],
        api=(None, None, None),
        begins_after=timedelta(hours=4, minutes=rng.randint(5, 90)),
        waits=True,
    )


@scenario("the training fails")
def the_training_fails(rng: Random) -> Scenario:
    """Both tries fail, long before five."""
    return night(
        rng,
        collecting=hours(rng, 0.3, 2),
        training=[rng.choice(ERRORS)],
        api=("success", "failed", "upstream_failed"),
    )


@scenario("the training hangs")
def the_training_hangs(rng: Random) -> Scenario:
    """The first try would take half a day or more, the second goes well. The REST API is down."""
    return night(
        rng,
        collecting=hours(rng, 0.1, 0.4),
        training=[hours(rng, 12, 15), hours(rng, 1, 2)],
        api=None,
    )


# --- what is right for it ---


def run_id(logical_date: datetime) -> str:
    """The id of the run."""
    return f"manual__{logical_date.isoformat()}"


def promised(given: Scenario, after: timedelta) -> datetime:
    """When the model is due: so long after 02:00, whenever the run began."""
    return given.runs[0].logical_date + after


def waited_for(given: Scenario) -> dict[str, str | None]:
    """The tasks that have not ended, with their states, as the REST API tells."""
    body = next(r[0].body for path, r in given.http_replies.items() if path.endswith("Instances"))
    told = {ti["task_id"]: ti["state"] for ti in json.loads(body)["task_instances"]}
    ended = ("success", "failed", "upstream_failed")
    return {task_id: state for task_id, state in told.items() if state not in ended}
