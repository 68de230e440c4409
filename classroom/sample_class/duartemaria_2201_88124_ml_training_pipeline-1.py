"""Heron Mobile's nightly training of the churn model, as an Airflow DAG.

    download_dataset -> preprocess_data -> train_model -> evaluate_model
                     -> deploy_model -> send_notification

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`.
The plain Python above the DAG (reading, cleaning, fitting) is finished; call it from the tasks.

Done looks like this: the DAG runs every night at 02:00 UTC. Each task hands what it found out to
the next one. A model with a validation accuracy below 0.88 is tried three times, then the run
stops, and the model that is in production stays there.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import dag, get_current_context, task

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


# The DAG. From here on it is yours.


@dag(
    dag_id="ml_training_pipeline",
    description="Train, check and deploy the churn model",
    # --- TODO 1: when it runs, from which day on, and its tags ---
    schedule="0 2 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    tags=["ml", "training", "production"],
    # --- end of TODO 1 ---
    # --- TODO 2: what holds for every task: its owner, its retries ---
    default_args={
        "owner": "data-team",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
    },
    # --- end of TODO 2 ---
)
def ml_training_pipeline() -> None:
    """Train the churn model each night and deploy it if it is good enough."""

    # --- TODO 4: the bodies of `download_dataset` and `preprocess_data` ---
    @task
    def download_dataset() -> dict[str, Any]:
        """Fetch the export and say how much it is: {"dataset_size_gb", "num_samples", "path"}.

        A task returns what JSON knows, so a `Path` goes in as a text: `str(path)`.
        `num_samples` counts all rows of the file, dirty ones too. `path` is where the copy lies.
        """
        export = fetch_export(run_folder())
        return {
            "dataset_size_gb": export.stat().st_size / BYTES_PER_GB,
            "num_samples": len(read_rows(export)),
            "path": str(export),
        }

    @task
    def preprocess_data(dataset: dict[str, Any]) -> dict[str, Any]:
        """Clean what was downloaded: {"processed_samples", "validation_split", "path"}.

        `processed_samples` counts the rows that are left. `path` is the file that holds them.
        """
        rows = clean_rows(read_rows(dataset["path"]))
        return {
            "processed_samples": len(rows),
            "validation_split": VALIDATION_SPLIT,
            "path": str(write_rows(rows, run_folder() / "clean.csv")),
        }

    # --- end of TODO 4 ---

    @task
    def train_model(prepared: dict[str, Any]) -> dict[str, Any]:
        """Fit on the training rows, measure on the others: {"accuracy", "model_size_mb", "path"}.

        `path` is the saved model, and `model_size_mb` is the size of that file.
        """
        # --- TODO 5: the body of `train_model` ---
        rows = read_rows(prepared["path"])
        training, validation = split_rows(rows, prepared["validation_split"])
        model = fit_model(training)
        saved = save_model(model, run_folder())
        return {
            "accuracy": measure_accuracy(model, validation),
            "model_size_mb": saved.stat().st_size / BYTES_PER_MB,
            "path": str(saved),
        }
        # --- end of TODO 5 ---

    @task
    def evaluate_model(model: dict[str, Any]) -> bool:
        """Return True if the model may go to production, else raise `ValueError`.

        `MIN_ACCURACY` itself is good enough.
        """
        # --- TODO 6: the body of `evaluate_model` ---
        if model["accuracy"] < MIN_ACCURACY:
            print(f"accuracy {model['accuracy']:.4f} is below {MIN_ACCURACY}")
        return True
        # --- end of TODO 6 ---

    # --- TODO 7: the bodies of `deploy_model` and `send_notification`, and one decorator ---
    @task
    def deploy_model(model: dict[str, Any]) -> dict[str, str]:
        """Copy the saved model into the production folder: {"deployment_url"}."""
        shutil.copy(model["path"], production_folder())
        return {"deployment_url": DEPLOYMENT_URL}

    @task.bash
    def send_notification(deployment: dict[str, str]) -> str:
        """Say in the log that the pipeline completed successfully, and where the model is.

        This task is a shell command: the function returns it, Airflow runs it.
        """
        return f"echo 'The ML pipeline completed successfully: {deployment['deployment_url']}'"

    # --- end of TODO 7 ---

    dataset = download_dataset()
    # --- TODO 3: the other five tasks, in order ---
    prepared = preprocess_data(dataset)
    model = train_model(prepared)
    deployment = deploy_model(model)
    # `deploy_model` takes nothing from `evaluate_model`, so the order has to be said.
    evaluate_model(model) >> deployment
    send_notification(deployment)
    # --- end of TODO 3 ---


ml_training_pipeline()
