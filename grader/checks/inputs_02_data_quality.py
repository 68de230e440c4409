"""The inputs of part 02: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

COLUMNS = ("event_id", "customer_id", "event_time", "data_mb", "call_minutes")
METRICS = ("null_percentage", "duplicate_percentage", "outlier_percentage")
DAY = timedelta(hours=24)


# --- what is drawn ---


def some_hour(rng: Random) -> datetime:
    """A full hour within two years."""
    return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(2 * 365 * 24))


def announced(rng: Random) -> int:
    """A number of records of which 5 % are a whole number."""
    return 20 * rng.randint(9, 14)


def delivery(
    rng: Random,
    newest: datetime,
    records: int,
    *,
    missing: int = 0,
    nulls: int = 0,
    duplicates: int = 0,
    outliers: int = 0,
    malformed: int = 0,
) -> dict[str, str | None]:
    """The two files of a delivery; the dirt is given in records, empty cells and rows."""
    first_id = rng.randrange(100_000, 900_000)
    customers = [f"HM-{number}" for number in rng.sample(range(1000, 10_000), 20)]
    rows: list[list[Any]] = [
        [
            first_id + i,
            customers[i % 20],
            (newest - timedelta(minutes=3 * (records - 1 - i))).isoformat(),
            round(rng.uniform(5, 60), 1),
            rng.choice([0, 0, 0, 1, 2, 5, 9]),
        ]
        for i in range(records)
    ]
    gone = set(rng.sample(range(1, records - 1), missing))
    rows = [row for i, row in enumerate(rows) if i not in gone]
    rng.shuffle(picked := list(range(len(rows))))
    twice, strange, broken = (
        [picked.pop() for _ in range(count)] for count in (duplicates, outliers, malformed)
    )
    for i in strange:
        rows[i][3] = round(rng.uniform(3000, 9000), 1)
    for i in broken:
        rows[i][3] = rng.choice(["{} MB", "~{}", "{} megabytes"]).format(rows[i][3])
    for i, column in rng.sample([(i, column) for i in picked for column in (3, 4)], nulls):
        rows[i][column] = ""
    for row in [rows[i] for i in twice]:
        rows.insert(rng.randrange(rows.index(row) + 1, len(rows) + 1), list(row))
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
    manifest = {"sender": "billing-gateway", "expected_records": records}
    return {"data/usage_events.csv": table.getvalue(), "data/manifest.json": json.dumps(manifest)}


def fresh(rng: Random, **dirt: int) -> Scenario:
    """One run, a few hours after the newest event of a delivery with some dirt in it."""
    newest, records = some_hour(rng), announced(rng)
    little = {
        "missing": rng.randint(1, records // 40),
        "nulls": rng.randint(3, records // 25),
        "duplicates": rng.randint(1, records // 50),
        "outliers": rng.randint(1, records // 30),
    }
    files = delivery(rng, newest, records, **{**little, **dirt})
    date = newest + timedelta(hours=rng.randint(1, 20))
    return Scenario(files=files, runs=(PlannedRun(logical_date=date),))


@scenario("a good delivery")
def a_good_delivery(rng: Random) -> Scenario:
    """Fresh, nearly complete, a little dirt of each kind."""
    return fresh(rng)


@scenario("a delivery grows old")
def a_delivery_grows_old(rng: Random) -> Scenario:
    """Looked at when fresh, exactly 24 hours old, and older. Of each dirt exactly 5 %."""
    newest, records = some_hour(rng), 19 * 4 * rng.randint(2, 4)
    rows = records * 20 // 19
    files = delivery(
        rng, newest, records, nulls=rows // 4, duplicates=rows // 20, outliers=rows // 20
    )
    ages = (timedelta(hours=rng.randint(1, 9)), DAY, DAY + timedelta(minutes=rng.randint(9, 50)))
    return Scenario(files=files, runs=tuple(PlannedRun(logical_date=newest + age) for age in ages))


@scenario("many records are missing")
def many_records_are_missing(rng: Random) -> Scenario:
    """Less than 95 % arrived."""
    newest, records = some_hour(rng), announced(rng)
    files = delivery(rng, newest, records, missing=records // 20 + rng.randint(1, 9), duplicates=2)
    return Scenario(files=files, runs=(PlannedRun(logical_date=newest + timedelta(hours=2)),))


@scenario("exactly 95 % arrived")
def exactly_95_percent_arrived(rng: Random) -> Scenario:
    """One record less would be too few."""
    newest, records = some_hour(rng), announced(rng)
    files = delivery(rng, newest, records, missing=records // 20, nulls=5, outliers=1)
    return Scenario(files=files, runs=(PlannedRun(logical_date=newest + timedelta(hours=3)),))


@scenario("text among the numbers")
def text_among_the_numbers(rng: Random) -> Scenario:
    """A few cells of a number column hold a number with words around it."""
    return fresh(rng, malformed=rng.randint(2, 5))


@scenario("many empty cells")
def many_empty_cells(rng: Random) -> Scenario:
    """More than 5 % of the cells are empty."""
    return fresh(rng, nulls=rng.randint(85, 110))


@scenario("many records sent twice")
def many_records_sent_twice(rng: Random) -> Scenario:
    """More than 5 % of the rows repeat an earlier one."""
    return fresh(rng, missing=0, duplicates=rng.randint(16, 22))


@scenario("many outliers")
def many_outliers(rng: Random) -> Scenario:
    """More than 5 % of the rows hold a traffic that nobody else has."""
    return fresh(rng, outliers=rng.randint(16, 22))


DIRTY = dict(
    zip(METRICS, ("many empty cells", "many records sent twice", "many outliers"), strict=True)
)


# --- what is right for it ---


def sent(given: Scenario, name: str) -> str:
    """The text of a file of the delivery."""
    return given.files[f"data/{name}"] or ""


def rows_of(given: Scenario) -> list[dict[str, str]]:
    """The rows of the delivery that the submission was given."""
    return list(csv.DictReader(io.StringIO(sent(given, "usage_events.csv"))))


def age_in_words(given: Scenario, index: int = 0) -> str:
    """`3 h 10 min`: from the newest event to the logical date of a run."""
    newest = max(datetime.fromisoformat(row["event_time"]) for row in rows_of(given))
    minutes = int((given.runs[index].logical_date - newest).total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def arrived(given: Scenario) -> float:
    """The share of the announced records that are in the delivery."""
    expected = json.loads(sent(given, "manifest.json"))["expected_records"]
    return len({row["event_id"] for row in rows_of(given)}) / int(expected)


def dirt(given: Scenario) -> dict[str, float]:
    """The three shares of dirt that were put into the delivery."""
    rows = rows_of(given)
    empty = sum(not cell for row in rows for cell in row.values())
    strange = sum(float(row["data_mb"] or 0) > 1000 for row in rows)
    repeated = len(rows) - len({row["event_id"] for row in rows})
    shares = (empty / (len(rows) * len(COLUMNS)), repeated / len(rows), strange / len(rows))
    return dict(zip(METRICS, shares, strict=True))


def malformed(given: Scenario) -> str:
    """A cell of `data_mb` with words around its number."""
    return next(row["data_mb"] for row in rows_of(given) if set(row["data_mb"]) & set("MB~e"))
