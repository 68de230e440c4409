"""A correct answer that sets everything per task, runs by a timetable object and hands one dict on.

It must get full marks; it is graded as `ml_training_pipeline.py`.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task

EXPORT = Path(__file__).parent / "data" / "customers.csv"
WORK = Path(tempfile.gettempdir(), "heron/ml_training_pipeline")
DEPLOYMENT_URL = "https://api.example.com/model/v1"
VALIDATION_SPLIT = 0.2
MIN_ACCURACY = 0.88
BYTES_PER_GB = 1_000_000_000
BYTES_PER_MB = 1_000_000

# What a number in the export can be. Outside of it, somebody or something made a mistake.
POSSIBLE = {
    "tenure_months": (0, 480),
    "monthly_fee": (1, 300),
    "support_calls": (0, 50),
    "data_gb": (0, 500),
}
FEATURES = list(POSSIBLE)
COLUMNS = ["customer_id", *FEATURES, "churned"]


# Plain Python, finished. No line of it knows that Airflow exists, except `run_folder`.


def run_folder() -> Path:
    """The folder for the files of the current run. Call it inside a task."""
    run_id = re.sub(r"[^A-Za-z0-9_-]", "_", get_current_context()["run_id"])
    folder = WORK / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def production_folder() -> Path:
    """The folder that the prediction service reads its model from. All runs share it."""
    folder = WORK / "production"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch_export(folder: Path) -> Path:
    """Copy the customer export into `folder` and return the path of the copy.

    Raises `OSError` when there is no export, or when it broke off before the first byte.
    """
    if EXPORT.stat().st_size == 0:
        raise OSError(f"the download broke off: {EXPORT.name} is empty")
    return Path(shutil.copy(EXPORT, folder / "raw.csv"))


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """All rows of a CSV file, dirty ones included, without the header."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise ValueError(f"{Path(path).name} is no customer export, or it is empty")
        return list(reader)


def write_rows(rows: list[dict[str, str]], path: Path) -> Path:
    """Write rows as a CSV file and return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def is_clean(row: dict[str, str]) -> bool:
    """Whether every value is there and is possible."""
    try:
        numbers = {name: float(row[name]) for name in FEATURES}
    except (TypeError, ValueError):
        return False
    in_range = all(low <= numbers[name] <= high for name, (low, high) in POSSIBLE.items())
    return in_range and row["churned"] in ("yes", "no")


def clean_rows(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The clean rows in their order, each customer once."""
    first = {row["customer_id"]: row for row in reversed(rows) if is_clean(row)}
    return [row for row in rows if first.get(row["customer_id"]) is row]


def split_rows(
    rows: list[dict[str, str]], validation_split: float
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Training rows and validation rows: with 0.2, each fifth row is for validation."""
    every = round(1 / validation_split)
    training = [row for number, row in enumerate(rows, start=1) if number % every]
    return training, rows[every - 1 :: every]


def fit_model(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Fit a logistic regression by gradient descent. The same rows give the same model."""
    columns = [[float(row[name]) for row in rows] for name in FEATURES]
    means = [math.fsum(column) / len(column) for column in columns]
    scales = [
        math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    # The leading 1.0 of each vector carries the bias.
    vectors = [
        [1.0, *((x - m) / s for x, m, s in zip(values, means, scales, strict=True))]
        for values in zip(*columns, strict=True)
    ]
    labels = [1.0 if row["churned"] == "yes" else 0.0 for row in rows]
    weights = [0.0] * (len(FEATURES) + 1)
    for _ in range(60):
        steps = [0.0] * len(weights)
        for vector, label in zip(vectors, labels, strict=True):
            score = sum(w * x for w, x in zip(weights, vector, strict=True))
            error = 1 / (1 + math.exp(-score)) - label
            for position, x in enumerate(vector):
                steps[position] += error * x
        weights = [w - 2.0 * step / len(rows) for w, step in zip(weights, steps, strict=True)]
    return {"features": FEATURES, "means": means, "scales": scales, "weights": weights}


def predict(model: dict[str, Any], row: dict[str, str]) -> str:
    """Whether the model expects this customer to leave: `yes` or `no`."""
    bias, *weights = model["weights"]
    parts = zip(weights, model["features"], model["means"], model["scales"], strict=True)
    score = bias + sum(w * (float(row[name]) - mean) / scale for w, name, mean, scale in parts)
    return "yes" if score > 0 else "no"


def measure_accuracy(model: dict[str, Any], rows: list[dict[str, str]]) -> float:
    """The share of rows for which the model is right, from 0 to 1."""
    return sum(predict(model, row) == row["churned"] for row in rows) / len(rows)


def save_model(model: dict[str, Any], folder: Path) -> Path:
    """Write the model as `model.json` into `folder` and return the path of the file."""
    path = folder / "model.json"
    path.write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    return path


AGAIN: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "owner": "data-team",
}


@task(**AGAIN)
def download_dataset() -> dict[str, Any]:
    """Fetch and count."""
    path = fetch_export(run_folder())
    return dict(
        dataset_size_gb=path.stat().st_size / 1e9,
        num_samples=sum(1 for _ in read_rows(path)),
        file=str(path),
    )


@task(**AGAIN)
def preprocess_data(info: dict[str, Any]) -> dict[str, Any]:
    """Clean and count."""
    rows = clean_rows(read_rows(info["file"]))
    target = write_rows(rows, Path(info["file"]).with_name("good.csv"))
    return info | {"file": str(target), "processed_samples": len(rows), "validation_split": 1 / 5}


@task(**AGAIN)
def train_model(file: str, share: float) -> dict[str, Any]:
    """Fit and measure."""
    training, validation = split_rows(read_rows(file), share)
    fitted = fit_model(training)
    right = [predict(fitted, row) == row["churned"] for row in validation]
    saved = save_model(fitted, run_folder())
    size = len(saved.read_bytes()) / BYTES_PER_MB
    return {"accuracy": sum(right) / len(right), "model_size_mb": size, "model": str(saved)}


@task(**AGAIN)
def evaluate_model(result: dict[str, Any]) -> dict[str, Any]:
    """Hand the model on if it is good, so that data and order are one."""
    if result["accuracy"] >= MIN_ACCURACY:
        return result
    raise ValueError("not good enough: " + str(result["accuracy"]))


@task(**AGAIN)
def deploy_model(result: dict[str, Any]) -> dict[str, str]:
    """Copy the model under the name of its day."""
    day = get_current_context()["ds"]
    shutil.copy(result["model"], production_folder() / f"model-{day}.json")
    return {"deployment_url": DEPLOYMENT_URL}


@task.bash(**AGAIN, env={"HERON_TEAM": "data"}, append_env=True)
def send_notification(url: str) -> str:
    """Print with printf."""
    return f"printf 'Training for team %s Completed Successfully, see %s\\n' $HERON_TEAM {url}"


@dag(
    dag_id="ml_training_pipeline",
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    tags={"ml", "training", "production"},
)
def nightly() -> None:
    """Put the tasks in order by handing values on."""
    info = preprocess_data(download_dataset())
    checked = evaluate_model(train_model(info["file"], info["validation_split"]))
    send_notification(deploy_model(checked)["deployment_url"])


nightly()
