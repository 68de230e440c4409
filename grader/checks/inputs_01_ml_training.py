"""The inputs of part 01: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from random import Random

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

COLUMNS = "customer_id,tenure_months,monthly_fee,support_calls,data_gb,churned"
POSSIBLE = ((0, 480), (1, 300), (0, 50), (0, 500))
DATA = "data/customers.csv"
DAY = timedelta(days=1)


# --- what is drawn ---


def customer(rng: Random, number: int, leaves: bool) -> list[str]:
    """A customer of whom it is plain whether they leave: the calls and the tenure say so."""
    calls = rng.randint(6, 10) if leaves else rng.randint(0, 2)
    tenure = rng.randint(1, 9) if leaves else rng.randint(30, 90)
    fee, data = rng.choice((9.99, 19.99, 34.99)), rng.uniform(1, 30)
    return [str(number), str(tenure), f"{fee}", str(calls), f"{data:.1f}", yes_no(leaves)]


def yes_no(leaves: bool) -> str:
    """The label as the export writes it."""
    return "yes" if leaves else "no"


def with_dirt(rng: Random, clean: list[list[str]]) -> str:
    """The export as text: the clean rows in their order, dirty rows and repeated ones between."""
    rows = list(clean)
    for row in rng.sample(clean, rng.randint(8, 20)):
        rows.insert(rng.randrange(rows.index(row) + 1, len(rows) + 1), list(row))
    for number in range(rng.randint(12, 30)):
        row = customer(rng, 70_000 + number, rng.random() < 0.5)
        row[rng.randint(1, 4)] = rng.choice(("", "-3", "99999", "n/a"))
        rows.insert(rng.randrange(len(rows)), row)
    return "\n".join([COLUMNS, *(",".join(row) for row in rows)]) + "\n"


def export(rng: Random, validation: int, wrong: int) -> str:
    """An export with `validation` validation rows, of which a good model gets `wrong` wrong."""
    clean = [customer(rng, 10_000 + n, rng.random() < 0.5) for n in range(5 * validation)]
    for row in rng.sample(clean[4::5], wrong):
        row[-1] = "no" if row[-1] == "yes" else "yes"
    return with_dirt(rng, clean)


def night(rng: Random, text: str) -> Scenario:
    """One run at two in the morning on the given export."""
    date = datetime(2025, 1, 1, 2, tzinfo=UTC) + rng.randint(0, 500) * DAY
    return Scenario(files={DATA: text}, runs=(PlannedRun(logical_date=date),))


@scenario("good data")
def good_data(rng: Random) -> Scenario:
    """A model with an accuracy between 0.92 and 0.98."""
    validation = rng.randint(75, 120)
    return night(rng, export(rng, validation, round(validation * rng.uniform(0.03, 0.07))))


@scenario("exactly on the threshold")
def on_the_threshold(rng: Random) -> Scenario:
    """Just 88 of 100."""
    hundredths = rng.choice((75, 100, 125))
    return night(rng, export(rng, hundredths, hundredths * 12 // 100))


@scenario("just below the threshold")
def below_the_threshold(rng: Random) -> Scenario:
    """One or two customers short of the threshold."""
    hundredths = rng.choice((100, 125))
    return night(rng, export(rng, hundredths, hundredths * 12 // 100 + rng.randint(1, 2)))


@scenario("hopeless data")
def hopeless_data(rng: Random) -> Scenario:
    """Labels that have nothing to do with the customers."""
    clean = [customer(rng, 10_000 + n, rng.random() < 0.5) for n in range(rng.randint(350, 500))]
    for row in clean:
        row[-1] = yes_no(rng.random() < 0.5)
    return night(rng, with_dirt(rng, clean))


@scenario("bad download")
def bad_download(rng: Random) -> Scenario:
    """An export that broke off before its first byte."""
    return night(rng, "")


@scenario("before the first day")
def before_the_first_day(rng: Random) -> Scenario:
    """The file is loaded in December 2023, and nothing runs."""
    return Scenario(now=datetime(2023, 12, rng.randint(2, 28), rng.randint(4, 20), 7, tzinfo=UTC))


# --- what is right for it ---


def rows_of(given: Scenario) -> list[list[str]]:
    """All rows of the scenario's export."""
    return list(csv.reader(io.StringIO(given.files[DATA])))[1:]


def clean_rows_of(given: Scenario) -> list[list[str]]:
    """The rows that cleaning has to leave."""
    kept: dict[str, list[str]] = {}
    for row in rows_of(given):
        try:
            numbers = [float(text) for text in row[1:5]]
        except ValueError:
            continue
        if all(low <= x <= high for x, (low, high) in zip(numbers, POSSIBLE, strict=True)):
            kept.setdefault(row[0], row)
    return list(kept.values())


def share_right(rows: list[list[str]]) -> float:
    """The share of rows whose label is what the number of calls says."""
    return sum(row[-1] == yes_no(int(row[3]) >= 5) for row in rows) / len(rows)


def accuracies(given: Scenario) -> tuple[float, float, float]:
    """What a model reaches on the validation rows, on the training rows and on all of them."""
    clean = clean_rows_of(given)
    training = [row for n, row in enumerate(clean, start=1) if n % 5]
    return share_right(clean[4::5]), share_right(training), share_right(clean)
