"""The hourly gate in front of Heron Mobile's usage data.

Edit the six TODO regions, in the order of their numbers, and nothing outside them. The lesson is
README.md in this folder; its headings carry the same numbers.

The file has three parts. The helpers read and measure a delivery in plain Python: use them, they
decide nothing and know nothing of Airflow. Then comes the DAG, then its six tasks, which decide
whether the churn team may use the delivery in `data/`:

    check_data_freshness -+-> handle_stale_data
                          +-> check_data_completeness -> check_schema_validity
                              -> check_data_quality_metrics -> quality_check_passed

Done: `make grade PART=02` shows full marks. Task ids are the names of the functions; keep them.
"""

from __future__ import annotations

import csv
import json
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import dag, task

DATA = Path(__file__).parent / "data"
SCHEMA = {
    "event_id": int,
    "customer_id": str,
    "event_time": datetime.fromisoformat,
    "data_mb": float,
    "call_minutes": int,
}

MAX_AGE = timedelta(hours=24)
MIN_COMPLETENESS = 0.95
MAX_DIRT = 0.05

Event = dict[str, str]


def read_events() -> tuple[list[str], list[Event]]:
    """Return the column names and the rows of the delivery; every cell is text."""
    with (DATA / "usage_events.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restval="")
        rows = list(reader)
        return list(reader.fieldnames or []), rows


def newest_event(rows: list[Event]) -> datetime:
    """Return the time of the newest event, in UTC."""
    times = [datetime.fromisoformat(row["event_time"]) for row in rows if row["event_time"]]
    return max(times).astimezone(UTC)


def completeness(rows: list[Event]) -> float:
    """Return the share of the announced records that arrived: 0.97 means 3 % are missing.

    The sender announces their number in `manifest.json`. A record sent twice counts once.
    """
    manifest = json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))
    return len({row["event_id"] for row in rows if row["event_id"]}) / manifest["expected_records"]


def schema_problems(columns: list[str], rows: list[Event]) -> list[str]:
    """Return a sentence per wrong column name or type; an empty list means that all is well.

    An empty cell has no type, so it is no problem here; `null_share` counts it.
    """
    if columns != list(SCHEMA):
        return [f"the columns are {columns}, not {list(SCHEMA)}"]
    problems = []
    for number, row in enumerate(rows, start=2):
        for column, parse in SCHEMA.items():
            try:
                if row[column]:
                    parse(row[column])
            except ValueError:
                problems.append(f"line {number}: {column} is {row[column]!r}")
    return problems


def null_share(rows: list[Event]) -> float:
    """Return the share of cells that are empty: 0.02 means 2 %."""
    cells = [row[column] for row in rows for column in SCHEMA]
    return cells.count("") / len(cells)


def duplicate_share(rows: list[Event]) -> float:
    """Return the share of rows whose event id already stood in a row above."""
    ids = [row["event_id"] for row in rows]
    return (len(ids) - len(set(ids))) / len(ids)


def outlier_share(rows: list[Event]) -> float:
    """Return the share of rows whose `data_mb` lies far from all others.

    Far is more than three interquartile ranges below the first or above the third quartile.
    """
    values = [float(row["data_mb"]) for row in rows if row["data_mb"]]
    first, _, third = statistics.quantiles(values, n=4)
    reach = 3 * (third - first)
    return sum(not first - reach <= value <= third + reach for value in values) / len(rows)


@dag(
    dag_id="data_quality_pipeline",
    description="Let a delivery of usage events through only if it is fresh, complete and clean",
    # --- TODO 1: schedule the pipeline and allow one retry ---
    # Hourly from 2024-01-01 (UTC), missed hours are not made up for, two tags, and for every task
    # an owner and one retry after five minutes.
    # --- end of TODO 1 ---
)
def data_quality_pipeline() -> None:
    """Join the six tasks below: who runs after whom."""
    # --- TODO 2: wire the tasks ---
    # These calls create the six tasks. So far nothing joins them, so all six start at once.
    check_data_freshness()
    handle_stale_data()
    check_data_completeness()
    check_schema_validity()
    check_data_quality_metrics()
    quality_check_passed()
    # --- end of TODO 2 ---


# --- TODO 3: branch on the age of the data ---
@task
def check_data_freshness(logical_date: datetime | None = None) -> str:
    """Return the id of the task to go on with.

    The age of the data is the time from its newest event to the logical date of the run. Airflow
    passes that date in, because the parameter is called `logical_date`. Data older than `MAX_AGE`
    is stale: "handle_stale_data". Anything else is fresh: "check_data_completeness".
    """
    raise NotImplementedError("TODO 3: compare the age with MAX_AGE and return a task id")


@task
def handle_stale_data() -> str:
    """Tell whoever reads this task's result that the data has to be fetched again.

    Returns "refresh_data_needed".
    """
    raise NotImplementedError("TODO 3: return the word that asks for new data")


# --- end of TODO 3 ---


# --- TODO 4: stop incomplete and malformed deliveries ---
@task
def check_data_completeness() -> bool:
    """Return True if at least `MIN_COMPLETENESS` of the announced records are there.

    Raises ValueError with the share that arrived otherwise.
    """
    raise NotImplementedError("TODO 4: raise ValueError when too many records are missing")


@task
def check_schema_validity() -> bool:
    """Return True if all columns have the name and the type that `SCHEMA` asks for.

    Raises ValueError with the first problems otherwise.
    """
    raise NotImplementedError("TODO 4: raise ValueError when schema_problems() finds any")


# --- end of TODO 4 ---


# --- TODO 5: measure the dirt and set a limit ---
@task
def check_data_quality_metrics() -> dict[str, float]:
    """Return the three shares of dirt if none of them is above `MAX_DIRT`.

    Keys: "null_percentage", "duplicate_percentage", "outlier_percentage". Values are fractions:
    0.02 means 2 %. Raises ValueError with the name and value of a metric that is too high.
    """
    raise NotImplementedError("TODO 5: measure, compare with MAX_DIRT, return the dict")


# --- end of TODO 5 ---


# --- TODO 6: say that all checks passed ---
@task
def quality_check_passed() -> str:
    """Return a shell command that prints a line with "all data quality checks passed"."""
    raise NotImplementedError("TODO 6: return a shell command")


# --- end of TODO 6 ---


data_quality_pipeline()
