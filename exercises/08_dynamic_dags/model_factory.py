"""Heron Mobile's model factory: one list of models, and a DAG for everybody who has one.

    train_<model>, a task for each model of the list -> deploy_best

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. You
may add imports. The plain Python above the factory is finished; call it.

Done looks like this: a new line in `data/models.yaml` is a new training the next night, and a new
team is a new DAG. A file that cannot be read is an import error which says where. A list with a
mistake in it costs no other team a night, and its own DAG says what is wrong.
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


# The factory. From here on it is yours.


def read_list() -> dict[str, Any]:
    """Return what `models.yaml` says: "models" for everybody, "teams" with lists of their own.

    What cannot be read is an error that leaves this function and names the file.
    """
    # --- TODO 1: read the list ---
    # So far nothing is read, so there is nothing to train.
    return {"models": [], "teams": {}}
    # --- end of TODO 1 ---


def model_factory(dag_id: str, models: list[dict[str, Any]]) -> None:
    """Make a DAG that trains these models and deploys the best of them."""

    @dag(
        # --- TODO 4: what this DAG is called, and from which day on it runs ---
        # So far it has the same name for whomever it is made.
        dag_id="model_factory",
        # --- end of TODO 4 ---
        description="Train the models of a list and deploy the best one",
        schedule="0 3 * * *",
        catchup=False,
        tags=["photos"],
        default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    )
    def factory() -> None:
        # --- TODO 2: train one model ---
        @task
        def train(model: dict[str, Any]) -> dict[str, Any]:
            """Return the result of the training: {"model", "score"}."""
            raise NotImplementedError("TODO 2: train this model")

        # --- end of TODO 2 ---

        # --- TODO 3: deploy the best model ---
        @task
        def deploy_best(results: list[dict[str, Any] | None]) -> str:
            """Put the model with the highest score into service and return its name.

            Of equals it is the one that stands first in the list.
            """
            raise NotImplementedError("TODO 3: choose a result, put it into service")

        # --- end of TODO 3 ---

        # --- TODO 5: refuse a list that is wrong ---
        # So far every list is taken as it is.
        # --- end of TODO 5 ---

        # --- TODO 2: a task for each model ---
        # So far there is none, so `deploy_best` gets no results.
        deploy_best([])
        # --- end of TODO 2 ---

    factory()


# This runs each time Airflow loads the file.
lists = read_list()
model_factory("model_factory", lists["models"])
# --- TODO 4: a DAG for each team ---
# So far only those who have no list of their own get a DAG.
# --- end of TODO 4 ---
