"""The inputs of part 10: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from grader.judge import scenario
from grader.scenario import Interruption, PlannedRun, Scenario

TRAININGS = "data/trainings.csv"
HOUR = 3600
IDEAS = ("more_layers", "no_address", "last_90_days", "half_the_rows", "night_calls", "two_sims")
OTHERS = ("speech", "call_center", "shop_cameras", "fraud")


# --- what is drawn ---


def some_evening(rng: Random) -> datetime:
    """22:00 on a day within two years."""
    return datetime(2024, 6, 1, 22, tzinfo=UTC) + timedelta(days=rng.randrange(700))


def quarters(rng: Random, least: float, largest: float) -> float:
    """Hours between two numbers, in quarters."""
    return rng.randint(round(least * 4), round(largest * 4)) / 4


def trainings(rng: Random, experiments: int = 1, elsewhere: tuple[float, ...] = ()) -> str:
    """A list of trainings. One of the products takes nearly three hours."""
    hours = {
        "churn": quarters(rng, 1.5, 2.25),
        "roaming": quarters(rng, 1, 2),
        "network": quarters(rng, 2, 2.5),
    }
    hours[rng.choice(list(hours))] = 2.75
    rows = [(model, "product", hour) for model, hour in hours.items()]
    rows += [
        (idea, "experiment", quarters(rng, 0.5, 1.5)) for idea in rng.sample(IDEAS, experiments)
    ]
    other = rng.sample(OTHERS, len(elsewhere))
    rows += [(name, "elsewhere", hour) for name, hour in zip(other, elsewhere, strict=True)]
    table = io.StringIO()
    lines = [(*row, round(rng.uniform(0.8, 0.97), 2)) for row in rows]
    csv.writer(table, lineterminator="\n").writerows(
        [("model", "kind", "hours", "accuracy"), *lines]
    )
    return table.getvalue()


def night(rng: Random, table: str, **words: list[str]) -> Scenario:
    """One run in the evening; `words` has a word for each try of a model."""
    conf: dict[str, Any] = {"seconds_per_hour": HOUR, "mishaps": words}
    run = PlannedRun(logical_date=some_evening(rng), conf=conf)
    return Scenario(files={TRAININGS: table}, runs=(run,))


@scenario("an ordinary night")
def an_ordinary_night(rng: Random) -> Scenario:
    """Nothing happens to any training."""
    return night(rng, trainings(rng, experiments=2))


@scenario("another DAG trains too")
def another_dag_trains_too(rng: Random) -> Scenario:
    """It holds one of the GPUs for some hours. What would run when is worked out, not run."""
    table = trainings(rng, experiments=3, elsewhere=(quarters(rng, 4, 7),))
    return Scenario(files={TRAININGS: table}, now=some_evening(rng))


@scenario("another DAG trains until tomorrow")
def another_dag_trains_until_tomorrow(rng: Random) -> Scenario:
    """It holds both GPUs until after the next evening. Worked out, not run."""
    table = trainings(rng, elsewhere=(quarters(rng, 30, 40), quarters(rng, 26, 40)))
    return Scenario(files={TRAININGS: table}, now=some_evening(rng))


@scenario("one hangs, one breaks")
def one_hangs_one_breaks(rng: Random) -> Scenario:
    """Both are well at the second try. Two GPUs are enough for them, if the first try kept none."""
    table = trainings(rng)
    (idea,) = hours_of_kind(table, "experiment")
    return night(rng, table, churn=["error"], **{rng.choice(["roaming", idea]): ["hang"]})


@scenario("a training hangs at each try")
def a_training_hangs_at_each_try(rng: Random) -> Scenario:
    """The churn model is never there; the large model is, at its second try."""
    table = trainings(rng, experiments=0)
    return night(rng, table, churn=["hang"] * 9, network=["hang"])


@scenario("a training is killed")
def a_training_is_killed(rng: Random) -> Scenario:
    """Its process ends when it has a GPU and has written that into the logbook. Half an hour later,
    when the lease is not over, there is a night of short trainings. At dawn somebody starts the
    long ones again.
    """
    killed = night(rng, trainings(rng, experiments=0))
    (run,) = killed.runs
    soon = run.logical_date + timedelta(minutes=rng.randrange(20, 40))
    short = run.model_copy(update={"start": soon, "conf": run.conf | {"seconds_per_hour": 60}})
    dawn = run.logical_date + timedelta(hours=6, minutes=rng.randrange(6))
    again = run.model_copy(update={"start": dawn})
    run = run.model_copy(update={"interruption": Interruption(kind="kill", change=2)})
    return killed.model_copy(update={"runs": (run, short, again)})


# --- what is right for it ---


def hours_of_kind(table: str, kind: str) -> dict[str, float]:
    """The hours that trainings of a kind take, by model."""
    rows = csv.DictReader(io.StringIO(table))
    return {row["model"]: float(row["hours"]) for row in rows if row["kind"] == kind}


def hours(given: Scenario, kind: str) -> dict[str, float]:
    """The same of a scenario."""
    return hours_of_kind(given.files[TRAININGS] or "", kind)


def mishaps(given: Scenario) -> dict[str, list[str]]:
    """What happens to a model: a word for each of its tries."""
    found: dict[str, list[str]] = given.runs[0].conf["mishaps"]
    return found
