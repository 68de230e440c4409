"""The inputs of part 04: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

CALLS = "data/dropped_calls.csv"


# --- what is drawn ---


def some_night(rng: Random) -> datetime:
    """A full hour at night within two years."""
    day = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(days=rng.randrange(700))
    return day + timedelta(hours=rng.randrange(5))


def bills(rng: Random) -> int:
    """A number of open bills."""
    return rng.randint(101, 989)


def calls(rng: Random) -> str:
    """A file of dropped calls; some customers have several."""
    customers = [f"HM-{number}" for number in rng.sample(range(1000, 10_000), 8)]
    rows = [
        f"{rng.choice(customers)},2024-03-04 {hour:02}:{rng.randrange(60):02},"
        f"{rng.randint(1, 30)},{rng.choice([5, 9, 12, 19])}"
        for hour in range(6, 24)
    ]
    return "\n".join(["customer_id,time,minutes,cents_per_minute", *rows]) + "\n"


def night(rng: Random, *, missing: bool = False, **conf: Any) -> Scenario:
    """One run, with what the gateway and the board do in it."""
    run = PlannedRun(logical_date=some_night(rng), conf=conf)
    return Scenario(files={CALLS: None if missing else calls(rng)}, runs=(run,))


@scenario("the gateway is busy all night")
def the_gateway_is_busy_all_night(rng: Random) -> Scenario:
    """No call succeeds."""
    return night(rng, gateway=["busy"])


@scenario("the gateway is busy at first")
def the_gateway_is_busy_at_first(rng: Random) -> Scenario:
    """One, two or three calls are in vain, and then there is a number."""
    return night(rng, gateway=["busy"] * rng.randint(1, 3) + [bills(rng)])


@scenario("the gateway refuses our key")
def the_gateway_refuses_our_key(rng: Random) -> Scenario:
    """It says so at once."""
    return night(rng, gateway=["refused"])


@scenario("the gateway is busy, then refuses our key")
def the_gateway_is_busy_then_refuses_our_key(rng: Random) -> Scenario:
    """It says so when it has time."""
    return night(rng, gateway=["busy", "refused"])


@scenario("the board is off")
def the_board_is_off(rng: Random) -> Scenario:
    """The gateway answers, and the next task fails."""
    return night(rng, gateway=[bills(rng)], board="off")


@scenario("the list of calls is missing")
def the_list_of_calls_is_missing(rng: Random) -> Scenario:
    """The refunds cannot be worked out."""
    return night(rng, gateway=[bills(rng)], missing=True)


# --- what is right for it ---


def open_bills(given: Scenario) -> int:
    """The number that the gateway has in the end."""
    return int(given.runs[0].conf["gateway"][-1])


def refunds(given: Scenario) -> list[int]:
    """The refund of each call, in cents."""
    lines = (given.files[CALLS] or "").splitlines()[1:]
    cells = [line.split(",") for line in lines]
    return [int(minutes) * int(price) for _, _, minutes, price in cells]
