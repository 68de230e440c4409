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
    schedule="0 * * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["data-quality", "monitoring"],
    default_args={
        "owner": "data-team",
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
    },
    # --- end of TODO 1 ---
)
def data_quality_pipeline() -> None:
    """Join the six tasks below: who runs after whom."""
    # --- TODO 2: wire the tasks ---
    fresh = check_data_freshness()
    complete = check_data_completeness()
    fresh >> [complete, handle_stale_data()]
    complete >> check_schema_validity() >> check_data_quality_metrics() >> quality_check_passed()
    # --- end of TODO 2 ---


# --- TODO 3: branch on the age of the data ---
@task.branch
def check_data_freshness(logical_date: datetime | None = None) -> str:
    """Return the id of the task to go on with.

    The age of the data is the time from its newest event to the logical date of the run. Airflow
    passes that date in, because the parameter is called `logical_date`. Data older than `MAX_AGE`
    is stale: "handle_stale_data". Anything else is fresh: "check_data_completeness".
    """
    _, rows = read_events()
    age = logical_date - newest_event(rows)
    print(f"The newest event is {age.total_seconds() / 3600:.1f} hours older than this run.")
    return "handle_stale_data" if age > MAX_AGE else "check_data_completeness"


@task
def handle_stale_data() -> str:
    """Tell whoever reads this task's result that the data has to be fetched again.

    Returns "refresh_data_needed".
    """
    print("The data is stale. Ask the billing gateway to send it again.")
    return "refresh_data_needed"


# --- end of TODO 3 ---


# --- TODO 4: stop incomplete and malformed deliveries ---
@task
def check_data_completeness() -> bool:
    """Return True if at least `MIN_COMPLETENESS` of the announced records are there.

    Raises ValueError with the share that arrived otherwise.
    """
    _, rows = read_events()
    share = completeness(rows)
    print(f"{share:.2%} of the announced records arrived.")
    if share < MIN_COMPLETENESS:
        raise ValueError(f"only {share:.2%} of the records arrived, need {MIN_COMPLETENESS:.0%}")
    return True


@task
def check_schema_validity() -> bool:
    """Return True if all columns have the name and the type that `SCHEMA` asks for.

    Raises ValueError with the first problems otherwise.
    """
    problems = schema_problems(*read_events())
    if problems:
        raise ValueError(f"{len(problems)} schema problems, first: {'; '.join(problems[:3])}")
    return True


# --- end of TODO 4 ---


# --- TODO 5: measure the dirt and set a limit ---
@task
def check_data_quality_metrics() -> dict[str, float]:
    """Return the three shares of dirt if none of them is above `MAX_DIRT`.

    Keys: "null_percentage", "duplicate_percentage", "outlier_percentage". Values are fractions:
    0.02 means 2 %. Raises ValueError with the name and value of a metric that is too high.
    """
    _, rows = read_events()
    metrics = {
        "null_percentage": null_share(rows),
        "duplicate_percentage": duplicate_share(rows),
        "outlier_percentage": outlier_share(rows),
    }
    print(f"Metrics: {metrics}")
    for name, value in metrics.items():
        if value > MAX_DIRT:
            raise ValueError(f"too much dirt: {value:.2%}")
    return metrics


# --- end of TODO 5 ---


# --- TODO 6: say that all checks passed ---
@task.bash
def quality_check_passed() -> str:
    """Return a shell command that prints a line with "all data quality checks passed"."""
    return 'echo "Usage events: all data quality checks passed"'


# --- end of TODO 6 ---


data_quality_pipeline()
