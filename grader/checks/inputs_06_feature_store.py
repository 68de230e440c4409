"""The inputs of part 06: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

TRAINING = "train_on_features"
DATABASE = "heron/feature_pipeline/features.duckdb"
COUNTED = ("minutes", "dropped_calls", "support_calls")
USAGE = "usage"  # the delivery that is read if nobody names another
FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
Row = tuple[str, ...]


# --- what is drawn ---


def some_day(rng: Random) -> datetime:
    """A midnight within two years, some weeks after the first day."""
    return FIRST_DAY + timedelta(days=rng.randrange(20, 700))


def counted(rng: Random, customer: str, at: datetime) -> Row:
    """What one switch counted for one customer."""
    numbers = rng.randint(1, 20), rng.randint(0, 2), rng.randint(0, 1)
    return customer, at.isoformat(), *map(str, numbers)


class Network:
    """Writes files of usage. Those of midnight stand in two: last of one, first of the next."""

    def __init__(self, rng: Random):
        self._rng, self._midnights = rng, dict[datetime, list[Row]]()
        numbers = rng.sample(range(1000, 10_000), rng.randint(20, 26))
        self.customers = [f"HM-{number}" for number in numbers]

    def midnight(self, at: datetime) -> list[Row]:
        """Some customers are on the phone at midnight."""
        if at not in self._midnights:
            awake = self._rng.sample(self.customers, len(self.customers) // 3)
            self._midnights[at] = [counted(self._rng, customer, at) for customer in awake]
        return self._midnights[at]

    def day(self, day: datetime, customers: list[str] | None = None) -> list[Row]:
        """A day, between two midnights, of all customers or of these."""
        chosen = self.customers if customers is None else customers
        rows = [
            counted(self._rng, customer, day + timedelta(minutes=self._rng.randrange(60, 1380)))
            for customer in chosen
            for _ in range(self._rng.randint(2, 4))
        ]
        rows += [r for at in (day, day + DAY) for r in self.midnight(at) if r[0] in chosen]
        return sorted(rows, key=lambda r: r[1])


def text_of(rows: Iterable[Row], header: Row = ("customer_id", "at", *COUNTED)) -> str:
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def spoiled(rng: Random, rows: list[Row]) -> list[Row]:
    """The rows, with a gap or an impossible number in one that is not of midnight."""
    number = rng.choice([n for n, r in enumerate(rows) if "T00:00" not in r[1]])
    column, cell = rng.randrange(2, 5), rng.choice(["", "-99"])
    bad = (*rows[number][:column], cell, *rows[number][column + 1 :])
    return [*rows[:number], bad, *rows[number + 1 :]]


def torn(rows: list[Row], day: datetime) -> list[Row]:
    """The rows, and one late in the day that has lost its customer."""
    lost = ("", (day + timedelta(hours=23, minutes=30)).isoformat(), "5", "0", "0")
    return sorted([*rows, lost], key=lambda r: r[1])


def much_more(rows: list[Row]) -> list[Row]:
    """The rows, with minutes that are far too many and still possible."""
    return [(r[0], r[1], str(int(r[2]) * 10), *r[3:]) for r in rows]


def labels(rng: Random, customers: list[str], first: datetime) -> str:
    """Labels from the first day on, some before any features; two of a customer without any.

    One is of the very moment at which the features of the first day are complete.
    """
    rows = [(rng.choice(customers), (first + DAY).isoformat(), rng.choice(["yes", "no"]))]
    for customer in [*customers, "HM-77"]:
        for day in sorted(rng.sample(range(6), 2)):
            at = first + timedelta(days=day, hours=rng.randint(6, 21), minutes=rng.randrange(60))
            rows.append((customer, at.isoformat(), rng.choice(["yes", "no"])))
    return text_of(rows, ("customer_id", "labelled_at", "churned"))


def training_by_hand(at: datetime) -> PlannedRun:
    """A training that a person starts: no update has asked for it."""
    return PlannedRun(dag_id=TRAINING, logical_date=at)


def run_of(day: datetime, delivery: str = USAGE, start: datetime | None = None) -> PlannedRun:
    """The run for a day. It starts when the day is over, or later."""
    conf = {} if delivery == USAGE else {"delivery": delivery}
    return PlannedRun(logical_date=day + DAY, start=start, conf=conf)


@scenario("weeks later")
def weeks_later(rng: Random) -> Scenario:
    """The file is loaded, some weeks after the first day, and nothing runs."""
    return Scenario(now=some_day(rng) + timedelta(hours=rng.randint(1, 22)))


def story(
    rng: Random,
    network: Network,
    *runs: tuple[PlannedRun, list[Row]],
    then: tuple[PlannedRun, ...] = (),
) -> Scenario:
    """Runs, each with what is delivered for it, and others after them."""
    files: dict[str, str | None] = {
        f"data/{delivery_of(run)}/{day_of(run):%Y-%m-%d}.csv": text_of(rows) for run, rows in runs
    }
    files["data/labels.csv"] = labels(rng, network.customers, day_of(runs[0][0]))
    planned = (*(run for run, _ in runs), *then)
    return Scenario(files=files, runs=planned, databases=(DATABASE,))


@scenario("a bad day is delivered again")
def a_bad_day_is_delivered_again(rng: Random) -> Scenario:
    """A good day, a bad one, a good one. Then the bad one again, corrected, of fewer customers.

    In the end a person starts a training.
    """
    network, first = Network(rng), some_day(rng)
    second, third = first + DAY, first + 2 * DAY
    fewer = rng.sample(network.customers, len(network.customers) - rng.randint(1, 2))
    delivery = rng.choice(["corrected", "second_try", "usage_2", "resent"])
    later = third + DAY + timedelta(hours=rng.randint(8, 20))
    return story(
        rng,
        network,
        (run_of(first), network.day(first)),
        (run_of(second), spoiled(rng, network.day(second))),
        (run_of(third), network.day(third)),
        (run_of(second, delivery, later), network.day(second, fewer)),
        then=(training_by_hand(later + timedelta(minutes=rng.randint(30, 90))),),
    )


@scenario("a row has lost its customer")
def a_row_has_lost_its_customer(rng: Random) -> Scenario:
    """A good day, and the same day again, with a row that the store cannot take."""
    network, first = Network(rng), some_day(rng)
    later = first + DAY + timedelta(hours=rng.randint(8, 20))
    return story(
        rng,
        network,
        (run_of(first), network.day(first)),
        (run_of(first, "torn", later), torn(network.day(first), first)),
    )


@scenario("a day unlike the one before")
def a_day_unlike_the_one_before(rng: Random) -> Scenario:
    """A good day, then one with too few rows, and the same one with far too many minutes."""
    network, first = Network(rng), some_day(rng)
    second = first + DAY
    few = rng.sample(network.customers, round(len(network.customers) * rng.uniform(0.5, 0.7)))
    later = second + DAY + timedelta(hours=rng.randint(2, 20))
    return story(
        rng,
        network,
        (run_of(first), network.day(first)),
        (run_of(second), network.day(second, few)),
        (run_of(second, "other", later), much_more(network.day(second))),
    )


# --- what is right for it ---


def day_of(run: PlannedRun) -> datetime:
    """The day that a run is about. Its features are complete a day later."""
    return run.logical_date - DAY


def delivery_of(run: PlannedRun) -> str:
    """The folder that a run is to read from."""
    return str(run.conf.get("delivery", USAGE))


def delivered(given: Scenario, run: PlannedRun) -> list[Row]:
    """The rows of the file that a run is to read, without the header."""
    path = f"data/{delivery_of(run)}/{day_of(run):%Y-%m-%d}.csv"
    return [tuple(r) for r in csv.reader(io.StringIO(given.files[path] or ""))][1:]


def sums(rows: Iterable[Row]) -> dict[str, tuple[int | None, ...]]:
    """The sums of each customer; None where a number is missing."""
    mine: dict[str, list[Row]] = {}
    for one in rows:
        mine.setdefault(one[0], []).append(one)
    return {
        customer: tuple(
            None if "" in cells else sum(map(int, cells))
            for cells in (column for column in list(zip(*found, strict=True))[2:])
        )
        for customer, found in mine.items()
    }


def right_features(given: Scenario, run: PlannedRun) -> dict[str, tuple[int | None, ...]]:
    """What each customer did within the day of a run."""
    start, end = day_of(run).isoformat(), run.logical_date.isoformat()
    return sums(r for r in delivered(given, run) if start <= r[1] < end)


def labels_of(given: Scenario) -> list[tuple[str, datetime]]:
    """Each label's customer and time."""
    rows = list(csv.reader(io.StringIO(given.files["data/labels.csv"] or "")))[1:]
    return [(customer, datetime.fromisoformat(at)) for customer, at, _ in rows]
