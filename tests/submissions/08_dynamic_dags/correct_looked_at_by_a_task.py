"""Heron Mobile's model factory: settings bound by a default value, the check as a task of its own,
and one name for all DAGs.
"""

from __future__ import annotations

import csv
import json
import math
import re
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

DATA = Path(__file__).parent / "data"
FEATURES = ("scratches", "glare", "dark_spots")
SETTINGS = ("learning_rate", "epochs")


# Plain Python, finished. It knows of Airflow only how to ask which DAG this is.


def id_of(name: object) -> str:
    """Make an id of a name: "ResNet 50 (v2)" gives "resnet_50_v2". A name without letters: ""."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")


def shape_problem(content: Any) -> str | None:
    """Return what keeps the content of `models.yaml` from being used at all, or None."""
    if not isinstance(content, dict) or "models" not in content:
        return "there is no `models` in it"
    if not isinstance(content.get("teams"), dict):
        return "there is no `teams` in it (without any teams, write `teams: {}`)"
    return None


def problems_of(models: Any) -> list[str]:
    """Return a sentence for each thing that is wrong with one list of models; [] if it is right."""
    if not isinstance(models, list) or not models:
        return ["there is no model in the list"]
    problems: list[str] = []
    ids: Counter[str] = Counter()
    for number, model in enumerate(models, start=1):
        if not isinstance(model, dict) or not id_of(model.get("name", "")):
            problems.append(f"model {number} has no name")
            continue
        ids[id_of(model["name"])] += 1
        for setting in SETTINGS:
            if not isinstance(model.get(setting), int | float):
                problems.append(f"the {setting} of {model['name']} is missing, or is no number")
    return problems + [f"{n} models have the id {one}" for one, n in ids.items() if n > 1]


def load_photos() -> list[tuple[list[float], int]]:
    """Return the features of each photo, with a leading 1.0, and 1 if it is cracked, else -1."""
    with (DATA / "photos.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        ([1.0, *(float(row[f]) for f in FEATURES)], 1 if row["cracked"] == "yes" else -1)
        for row in rows
    ]


def train_model(model: dict[str, Any]) -> dict[str, Any]:
    """Train a model and return {"model": its name, "score": how many test photos it gets right}.

    Half of the photos are for training, the others for the test. On real photos it would keep a GPU
    busy for hours; here it takes a second per epoch. Raises `ArithmeticError` if the learning rate
    is so large that the training runs away.
    """
    photos, weights = load_photos(), [0.0] * (len(FEATURES) + 1)
    training, test = photos[: len(photos) // 2], photos[len(photos) // 2 :]
    for _ in range(model["epochs"]):
        time.sleep(1)
        for features, label in training:
            error = label - sum(w * x for w, x in zip(weights, features, strict=True))
            step = model["learning_rate"] * error
            weights = [w + step * x for w, x in zip(weights, features, strict=True)]
    if not all(math.isfinite(w) and abs(w) < 1e6 for w in weights):
        raise ArithmeticError(f"the training of {model['name']} ran away")
    scores = [label * sum(w * x for w, x in zip(weights, f, strict=True)) for f, label in test]
    return {"model": model["name"], "score": sum(score > 0 for score in scores)}


def put_into_service(result: dict[str, Any]) -> None:
    """Have the model of this result look at new photos, for those to whom this DAG belongs."""
    folder = Path(tempfile.gettempdir(), "heron/model_factory")
    folder.mkdir(parents=True, exist_ok=True)
    dag_id = get_current_context()["dag"].dag_id
    (folder / f"{dag_id}.json").write_text(json.dumps(result) + "\n", encoding="utf-8")


# The factory.


def read_list() -> dict[str, Any]:
    """Read the list, and add its name to whatever goes wrong."""
    path = Path(__file__).resolve().with_name("data") / "models.yaml"
    try:
        content = yaml.safe_load(path.read_bytes())
        problem = shape_problem(content)
        if problem:
            raise KeyError(problem)
    except Exception as error:
        raise ValueError(f"{path}: {error}") from error
    return dict(content)


def best_of(results: list[dict[str, Any] | None]) -> dict[str, Any]:
    """The first of the best; `IndexError` if there is none."""
    best: list[dict[str, Any]] = []
    for result in results:
        if result and (not best or result["score"] > best[0]["score"]):
            best = [result]
    return best[0]


@task(retries=0)
def look_at_list(models: Any) -> None:
    """Look at the list again when it is used, and fail with all that is wrong with it."""
    problems = problems_of(models)
    if problems:
        raise AirflowFailException(f"The list is wrong: {problems}")


def trainings(models: list[dict[str, Any]]) -> list[Any]:
    """Put a training for each model into the DAG that is being made."""
    made = []
    for model in models:

        @task(task_id=f"train_{id_of(model['name'])}")
        def train(settings: dict[str, Any] = model) -> dict[str, Any]:
            return train_model(settings)

        made.append(train())
    return made


def everything(dag_id: str, models: list[dict[str, Any]]) -> Any:
    """Make one DAG."""

    @dag(
        dag_id=dag_id,
        schedule=timedelta(days=1),
        start_date=datetime(2024, 1, 1, 3, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    )
    def heron() -> None:
        looked = look_at_list(models)
        if problems_of(models):
            return

        @task(trigger_rule="all_done")
        def deploy_best(results: list[dict[str, Any] | None]) -> None:
            """Put the best one into service; without any result this is an error."""
            put_into_service(best_of(results))

        trained = trainings(models)
        looked >> trained
        deploy_best(trained)

    return heron()


content = read_list()
everybody = {"model_factory": content["models"]}
teams = {f"model_factory_{id_of(team)}": models for team, models in content["teams"].items()}
for dag_id, models in (everybody | teams).items():
    this = everything(dag_id, models)
