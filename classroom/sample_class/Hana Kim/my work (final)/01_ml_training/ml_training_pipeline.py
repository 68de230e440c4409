"""A correct answer in the classic style: `with DAG(...)`, operators, `chain()`, pulled values.

It must get full marks; it is graded as `ml_training_pipeline.py`.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, chain, get_current_context

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


def download() -> dict[str, Any]:
    """Fetch the export and count it line by line."""
    path = fetch_export(run_folder())
    with open(path, "rb") as file:
        content = file.read()
    return {
        "num_samples": len(content.splitlines()) - 1,
        "dataset_size_gb": len(content) / 1024**3,
    }


def preprocess() -> dict[str, Any]:
    """Clean what lies in the folder of the run."""
    rows = clean_rows(read_rows(run_folder() / "raw.csv"))
    write_rows(rows, run_folder() / "clean.csv")
    return {"processed_samples": len(rows), "validation_split": 0.2}


def train(ti: Any) -> dict[str, Any]:
    """Fit, measure and save."""
    share = ti.xcom_pull(task_ids="preprocess_data")["validation_split"]
    training, validation = split_rows(read_rows(run_folder() / "clean.csv"), share)
    model = fit_model(training)
    size = save_model(model, run_folder()).stat().st_size
    return {
        "accuracy": round(measure_accuracy(model, validation), 4),
        "model_size_mb": size / 1e6,
    }


def evaluate(ti: Any) -> None:
    """Let only good models pass."""
    accuracy = ti.xcom_pull(task_ids="train_model")["accuracy"]
    if not accuracy >= 0.88:
        raise ValueError(f"Only {accuracy:.1%} right")


def deploy() -> dict[str, str]:
    """Copy the model of this run."""
    shutil.copyfile(run_folder() / "model.json", production_folder() / "model.json")
    return {"deployment_url": "https://api.example.com/model/v1"}


with DAG(
    "ml_training_pipeline",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    tags=["production", "ml", "training"],
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=60)},
):
    steps = {
        "download_dataset": download,
        "preprocess_data": preprocess,
        "train_model": train,
        "evaluate_model": evaluate,
        "deploy_model": deploy,
    }
    tasks = [
        PythonOperator(task_id=task_id, python_callable=function)
        for task_id, function in steps.items()
    ]
    url = "{{ ti.xcom_pull(task_ids='deploy_model')['deployment_url'] }}"
    notify = BashOperator(
        task_id="send_notification",
        bash_command=f'echo "Pipeline completed successfully"; echo "Model at {url}"',
    )
    chain(*tasks, notify)
