"""Heron Mobile's feature store, with operators and templates, a swap, and a lateral join."""

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
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import (
    Asset,
    CronTriggerTimetable,
    ObjectStoragePath,
    dag,
    get_current_context,
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


def extract(day: str) -> str:
    """The day comes in as a text, from a template."""
    return fetch(delivery_folder().joinpath(day + ".csv"))


def compute(path: str, since: str, until: str) -> str:
    """The edges of the interval come in as texts, from templates."""
    first, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return keep_features(add_up([r for r in read_rows(path) if first <= r["at"] and r["at"] < end]))


def put_in(path: str, until: str) -> str:
    """Insert beside the others, then swap the old for the new in one transaction."""
    with open_store() as store:
        store.execute("CREATE TEMP TABLE incoming AS FROM features LIMIT 0")
        for row in read_rows(path):
            values = [row["customer_id"], until, *(row[name] for name in COUNTED)]
            store.execute("INSERT INTO incoming VALUES (?, ?, ?, ?, ?, false)", values)
        store.begin()
        store.execute("DELETE FROM features WHERE event_time IN (SELECT event_time FROM incoming)")
        store.execute("INSERT INTO features FROM incoming")
        store.commit()
    return until


def decide(event_time: str, outlet_events: Any) -> None:
    """A list of what must not be; `any` of it is enough."""
    with open_store() as store:
        found = measure(store, event_time)
        first = found["rows_before"] is None
        good = found["bad_rows"] == 0 and (
            first
            or (found["rows"] >= MIN_ROWS * found["rows_before"] and found["drift"] <= MAX_DRIFT)
        )
        if not good:
            raise RuntimeError(f"not published: {found}")
        publish(store, event_time)
    outlet_events[CHURN_FEATURES].extra["event_time"] = event_time


def train() -> dict[str, Any]:
    """For each label, ask for the newest features up to it."""
    times = []
    for updates in get_current_context()["triggering_asset_events"].values():
        times += [update.extra["event_time"] for update in updates]
    newest = """
        labels, LATERAL (
            SELECT * FROM published_features AS one
            WHERE one.customer_id = labels.customer_id AND one.event_time <= labels.labelled_at
            ORDER BY one.event_time DESC LIMIT 1
        ) AS features
    """
    with open_store() as store:
        return {"event_times": times, "rows": write_training_set(store, newest)}


@dag(
    dag_id="feature_pipeline",
    schedule=CronTriggerTimetable("@daily", timezone="UTC", interval=timedelta(days=1)),
    start_date=datetime(2026, 3, 2, tzinfo=UTC),
    catchup=True,
    params={"delivery": "usage"},
)
def pipeline() -> None:
    """Operators in the place of decorated functions."""
    since, until = "{{ data_interval_start.isoformat() }}", "{{ data_interval_end.isoformat() }}"
    fetched = PythonOperator(
        task_id="extract_usage",
        python_callable=extract,
        op_args=["{{ data_interval_start.strftime('%Y-%m-%d') }}"],
    )
    computed = PythonOperator(
        task_id="compute_features",
        python_callable=compute,
        op_kwargs={"path": fetched.output, "since": since, "until": until},
    )
    stored = PythonOperator(
        task_id="store_features",
        python_callable=put_in,
        op_kwargs={"path": computed.output, "until": until},
    )
    PythonOperator(
        task_id="validate_features",
        python_callable=decide,
        op_kwargs={"event_time": stored.output},
        outlets=[CHURN_FEATURES],
    )


@dag(dag_id="train_on_features", schedule=CHURN_FEATURES | Asset("never_updated"))
def training() -> None:
    """It would also start for another asset, which nobody updates."""
    PythonOperator(task_id="build_training_set", python_callable=train)


pipeline()
training()
