"""Heron Mobile's feature store, with `DAG`, rows that are overwritten, and a window function."""

from __future__ import annotations

import csv
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from airflow.sdk import (
    DAG,
    Asset,
    DeltaDataIntervalTimetable,
    Metadata,
    ObjectStoragePath,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

DATA = Path(__file__).parent / "data"
WORK = Path(tempfile.gettempdir(), "heron/feature_pipeline")
STORE = WORK / "features.duckdb"
CHURN_FEATURES = Asset("churn_features")

MIN_ROWS = 0.8  # of the rows of the day before
MAX_DRIFT = 3.0  # standard deviations of the day before

COUNTED = ("minutes", "dropped_calls", "support_calls")
READ = {"at": datetime.fromisoformat, **dict.fromkeys(COUNTED, int)}

SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    customer_id VARCHAR NOT NULL,
    event_time TIMESTAMPTZ NOT NULL,
    minutes INTEGER,
    dropped_calls INTEGER,
    support_calls INTEGER,
    published BOOLEAN NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, event_time)
);
CREATE VIEW IF NOT EXISTS published_features AS
SELECT * EXCLUDE (published) FROM features WHERE published;
"""
MEASURE = """
WITH today AS (FROM features WHERE event_time = $event_time),
before AS (FROM published_features WHERE event_time = (
    SELECT max(event_time) FROM published_features WHERE event_time < $event_time))
SELECT
    (SELECT count(*) FROM today),
    (SELECT count(*) FROM today WHERE NOT coalesce(
        minutes BETWEEN 0 AND 1440 AND dropped_calls >= 0 AND support_calls >= 0, false)),
    (SELECT nullif(count(*), 0) FROM before),
    abs((SELECT avg(minutes) FROM today) - (SELECT avg(minutes) FROM before))
        / (SELECT greatest(stddev_pop(minutes), 1) FROM before)
"""
LABELS = """
CREATE OR REPLACE TEMP TABLE labels AS
FROM read_csv(?, types = {'labelled_at': 'TIMESTAMPTZ', 'churned': 'VARCHAR'})
"""
TRAINING_SET = """
CREATE OR REPLACE TABLE training_set AS
SELECT labels.*, features.* EXCLUDE (customer_id)
FROM
"""


# Plain Python, finished. It knows of Airflow only how to ask which run this is.


def delivery_folder() -> ObjectStoragePath:
    """Where the files are that this run is to read: a folder of `data`, by default `usage`.

    For a bucket, write `s3://...` here; the tasks stay as they are.
    """
    return ObjectStoragePath(f"file://{DATA}") / get_current_context()["params"]["delivery"]


def run_folder() -> Path:
    """The folder for the files of the current run. Call it inside a task."""
    run_id = re.sub(r"[^A-Za-z0-9_-]", "_", get_current_context()["run_id"])
    folder = WORK / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(file: ObjectStoragePath) -> str:
    """Copy a file into the folder of the current run, and return the path of the copy."""
    copy = run_folder() / file.name
    copy.write_bytes(file.read_bytes())
    return str(copy)


def read_rows(path: str) -> list[dict[str, Any]]:
    """The rows of a CSV file. `at` is a time, counts are numbers, and an empty cell is None."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [
            {name: READ.get(name, str)(cell) if cell else None for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def add_up(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each customer, with sums. A sum with an unknown number in it is unknown."""
    by_customer = defaultdict(list)
    for row in rows:
        by_customer[row["customer_id"]].append(row)
    features = []
    for customer_id, mine in by_customer.items():
        columns = {name: [row[name] for row in mine] for name in COUNTED}
        sums = {name: None if None in cells else sum(cells) for name, cells in columns.items()}
        features.append({"customer_id": customer_id, **sums})
    return features


def keep_features(features: list[dict[str, Any]]) -> str:
    """Write features into the folder of the current run, and return the path of the file."""
    path = run_folder() / "features.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["customer_id", *COUNTED])
        writer.writeheader()
        writer.writerows(features)
    return str(path)


@contextmanager
def open_store() -> Iterator[duckdb.DuckDBPyConnection]:
    """The feature store, for a `with`. It lets in one process at a time, so wait for your turn.

    What was begun and not committed when the `with` ends is forgotten.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    for _ in range(120):
        try:
            store = duckdb.connect(STORE, config={"threads": 1})
            break
        except duckdb.IOException:
            time.sleep(1)
    else:
        raise TimeoutError(f"another process has kept {STORE} open for two minutes")
    with store:
        store.execute(SCHEMA)
        yield store


def insert(
    store: duckdb.DuckDBPyConnection, event_time: datetime, rows: list[dict[str, Any]]
) -> None:
    """Put in a row for each customer, not published. The same key twice is an error."""
    for row in rows:
        values = [row["customer_id"], event_time, *(row[name] for name in COUNTED)]
        store.execute("INSERT INTO features VALUES (?, ?, ?, ?, ?, false)", values)


def measure(store: duckdb.DuckDBPyConnection, event_time: str) -> dict[str, Any]:
    """What there is to know about the features of a day, before you publish them.

    `rows`, and how many of them are `bad_rows`: with a gap, or with a number that cannot be.
    `rows_before` and `drift` compare with the newest published day before: how many rows it has,
    and how far the mean of `minutes` has moved. Both are None if there is no such day.
    """
    found = store.execute(MEASURE, {"event_time": event_time}).fetchone()
    return dict(zip(("rows", "bad_rows", "rows_before", "drift"), found or (), strict=True))


def publish(store: duckdb.DuckDBPyConnection, event_time: str) -> None:
    """Show the features of a day to all who read `published_features`."""
    store.execute("UPDATE features SET published = true WHERE event_time = ?", [event_time])


def write_training_set(store: duckdb.DuckDBPyConnection, joined: str) -> int:
    """Make the table `training_set` anew, and return how many rows it has.

    `joined` is what comes after FROM: `labels` and something called `features`, and how they meet.
    """
    store.execute(LABELS, [str(DATA / "labels.csv")])
    store.execute(TRAINING_SET + joined)
    return len(store.execute("FROM training_set").fetchall())


@task
def extract_usage() -> str:
    """Read the rows of the day with the object store's own `open`, and keep those within it."""
    context = get_current_context()
    day = context["data_interval_start"].date()
    copy = run_folder() / "of_the_day.csv"
    with (delivery_folder() / f"{day}.csv").open("rb") as file:
        header, *lines = file.read().decode().splitlines()
    kept = [line for line in lines if line.split(",")[1].startswith(str(day))]
    copy.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return str(copy)


@task
def compute_features(path: str, data_interval_end: datetime | None = None) -> str:
    """The interval by its length, and its end."""
    begin = data_interval_end - timedelta(days=1)
    rows = []
    for row in read_rows(path):
        if row["at"] < begin or row["at"] >= data_interval_end:
            continue
        rows.append(row)
    return keep_features(add_up(rows))


@task
def store_features(path: str, data_interval_end: datetime | None = None) -> str:
    """Overwrite row by row, then take out who is no longer there; all of it or nothing."""
    event_time = str(data_interval_end)
    rows = read_rows(path)
    with open_store() as store:
        store.execute("BEGIN TRANSACTION")
        try:
            for row in rows:
                store.execute(
                    "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, false)",
                    [row["customer_id"], event_time, *(row[name] for name in COUNTED)],
                )
            store.execute(
                "DELETE FROM features WHERE event_time = ? AND NOT list_contains(?, customer_id)",
                [event_time, [row["customer_id"] for row in rows]],
            )
        except Exception:
            store.execute("ROLLBACK")
            raise
        store.execute("COMMIT")
    return event_time


@task(outlets=[Asset("churn_features")])
def validate_features(event_time: str) -> Iterator[Metadata]:
    """Gather all that is wrong, then decide. The update is yielded."""
    with open_store() as store:
        found = measure(store, event_time)
    wrong = []
    if found["bad_rows"] > 0:
        wrong.append("bad rows")
    if found["rows_before"] and found["rows"] / found["rows_before"] < MIN_ROWS:
        wrong.append("too few rows")
    if (found["drift"] or 0) > MAX_DRIFT:
        wrong.append("drift")
    if wrong:
        raise AirflowFailException(f"{event_time}: {', '.join(wrong)} ({found})")
    with open_store() as store:
        publish(store, event_time)
    yield Metadata(CHURN_FEATURES, {"event_time": event_time, **found})


@task
def build_training_set(triggering_asset_events: Any = None) -> dict[str, Any]:
    """Of all features up to the label, number them from the newest and take the first."""
    with open_store() as store:
        rows = write_training_set(
            store,
            """
            labels JOIN published_features AS features
                ON features.customer_id = labels.customer_id
                AND features.event_time <= labels.labelled_at
            QUALIFY row_number() OVER (
                PARTITION BY labels.customer_id, labels.labelled_at
                ORDER BY features.event_time DESC
            ) = 1
            """,
        )
    updates = triggering_asset_events[CHURN_FEATURES]
    return {"rows": rows, "event_times": [update.extra["event_time"] for update in updates]}


with DAG(
    dag_id="feature_pipeline",
    schedule=DeltaDataIntervalTimetable(timedelta(days=1)),
    start_date=datetime(2026, 3, 1, tzinfo=UTC),
    catchup=True,
    max_active_runs=1,
    params={"delivery": "usage"},
) as pipeline:
    validate_features(store_features(compute_features(extract_usage())))

with DAG(dag_id="train_on_features", schedule=[CHURN_FEATURES]) as training:
    build_training_set()
