"""Heron Mobile's feature store: what each customer did on a day, for models to learn from.

    feature_pipeline:   extract_usage -> compute_features -> store_features -> validate_features
    train_on_features:  build_training_set, each time that `churn_features` is updated

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. You
may add imports. The plain Python and the SQL above the DAGs are finished; call them from the tasks.

Done looks like this: each run puts the features of its own day into the store, as often as you
like. Features that fail the validation stay in there and are not published. When a day is
published, `train_on_features` starts, and no label in its training set meets its own future.
"""

from __future__ import annotations

import csv
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from airflow.sdk import (
    Asset,
    CronDataIntervalTimetable,
    ObjectStoragePath,
    dag,
    get_current_context,
    task,
)

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


# The DAGs. From here on it is yours.


@dag(
    dag_id="feature_pipeline",
    description="What each customer did on a day, for models to learn from",
    # --- TODO 1: when it runs, and which days there are ---
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 3, 1, tzinfo=UTC),
    catchup=True,
    # --- end of TODO 1 ---
    max_active_runs=1,
    max_consecutive_failed_dag_runs=3,
    params={"delivery": "usage"},
    tags=["features", "churn"],
)
def feature_pipeline() -> None:
    """Put the features of a day into the store, and publish them if they are good."""

    @task
    def extract_usage(
        data_interval_start: datetime | None = None, data_interval_end: datetime | None = None
    ) -> str:
        """Copy the file of the day that the run is about, and return the path of the copy."""
        # --- TODO 2: fetch the file of the day ---
        return fetch(delivery_folder() / f"{data_interval_start:%Y-%m-%d}.csv")
        # --- end of TODO 2 ---

    @task
    def compute_features(
        path: str,
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
    ) -> str:
        """Add up what happened within the interval, and return the path of the features."""
        # --- TODO 3: count what lies within the interval ---
        start, end = data_interval_start, data_interval_end
        return keep_features(add_up([row for row in read_rows(path) if start <= row["at"] < end]))
        # --- end of TODO 3 ---

    @task
    def store_features(
        path: str,
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
    ) -> str:
        """Replace what the store has of this day, and return the event time as a text."""
        # --- TODO 4: replace the day as a whole ---
        with open_store() as store:
            store.begin()
            store.execute("DELETE FROM features WHERE event_time = ?", [data_interval_end])
            insert(store, data_interval_end, read_rows(path))
            store.commit()
        return data_interval_end.isoformat()
        # --- end of TODO 4 ---

    # --- TODO 6: what this task updates ---
    @task(outlets=[CHURN_FEATURES])
    # --- end of TODO 6 ---
    def validate_features(event_time: str, outlet_events: Any = None) -> None:
        """Publish the features of a day, or raise `ValueError` and leave all as it is."""
        # --- TODO 5: publish only what is good ---
        with open_store() as store:
            found = measure(store, event_time)
            print(found)
            if found["bad_rows"]:
                raise ValueError(f"{found['bad_rows']} of {found['rows']} rows are bad")
            if found["rows_before"] is not None:
                if found["rows"] < MIN_ROWS * found["rows_before"]:
                    raise ValueError(f"{found['rows']} rows, after {found['rows_before']}")
                if found["drift"] > MAX_DRIFT:
                    raise ValueError(f"minutes have moved by {found['drift']:.1f} deviations")
            publish(store, event_time)
        # --- end of TODO 5 ---
        # --- TODO 6: say which day it was ---
        outlet_events[CHURN_FEATURES].extra = {"event_time": event_time}
        # --- end of TODO 6 ---

    validate_features(store_features(compute_features(extract_usage())))


@dag(
    dag_id="train_on_features",
    description="Build a training set from the published features",
    # --- TODO 6: what starts it ---
    schedule=[CHURN_FEATURES],
    # --- end of TODO 6 ---
    max_active_runs=1,
    tags=["features", "churn"],
)
def train_on_features() -> None:
    """Build a training set whenever features have been published."""

    @task
    def build_training_set(triggering_asset_events: Any = None) -> dict[str, Any]:
        """Join labels and features: {"rows", "event_times"}, the second from the updates."""
        # --- TODO 7: let no label meet its future ---
        updates = [one for events in triggering_asset_events.values() for one in events]
        as_of = """
            labels ASOF JOIN published_features AS features
            ON labels.customer_id = features.customer_id
            AND labels.labelled_at >= features.event_time
        """
        with open_store() as store:
            rows = write_training_set(store, as_of)
        return {"rows": rows, "event_times": [update.extra["event_time"] for update in updates]}
        # --- end of TODO 7 ---

    build_training_set()


feature_pipeline()
train_on_features()
