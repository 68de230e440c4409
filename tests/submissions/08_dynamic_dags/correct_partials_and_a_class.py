"""Heron Mobile's model factory, as a first version is written: partial functions, a class, a DAG
of one task for a wrong list, and a plain `for` with a counter.
"""

from __future__ import annotations

import csv
import json
import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import dag, get_current_context, task

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

Model = dict[str, Any]
LIST = DATA / "models.yaml"


def read_list() -> dict[str, Any]:
    """Read the list."""
    with open(LIST, encoding="utf-8") as stream:
        content = yaml.load(stream, Loader=yaml.CSafeLoader)
    if shape_problem(content) is not None:
        raise SystemExit(f"models.yaml cannot be used: {shape_problem(content)}")
    return {**content}


def wrong(problems: list[str]) -> None:
    """The only task of a wrong list."""
    numbered = [f"{number}. {problem}" for number, problem in enumerate(problems, start=1)]
    raise RuntimeError(f"{len(problems)} problems: " + " ".join(numbered))


@task(trigger_rule="all_done", retries=0)
def deploy_best(order: list[str], ti: Any = None) -> Any:
    """Ask for each result by the id of its task."""
    best: Model = {"score": -1}
    for task_id in order:
        result = ti.xcom_pull(task_ids=task_id)
        if result is not None and result["score"] > best["score"]:
            best = result
    if "model" not in best:
        raise LookupError("nothing was trained")
    put_into_service(best)
    return best


def contest(models: list[Model]) -> None:
    """Each against each."""
    jobs: dict[str, Callable[[], Model]] = {
        f"train_{id_of(model['name'])}": partial(train_model, model) for model in models
    }
    last = deploy_best(list(jobs))
    for task_id, job in jobs.items():
        task(job.func, task_id=task_id)(*job.args) >> last  # type: ignore[attr-defined]


class Factory:
    """Makes DAGs."""

    def __init__(self, night: str) -> None:
        self.night = night

    def make(self, owner: str, models: list[Model]) -> None:
        """Make one DAG for an owner; "" is everybody."""
        problems = problems_of(models)

        def body() -> None:
            if problems:
                task(wrong, task_id="wrong_list", retries=0)(problems)
            else:
                contest(models)

        dag(
            dag_id="_".join(filter(None, ["model_factory", id_of(owner)])),
            schedule=self.night,
            start_date=datetime(2024, 1, 1, tzinfo=UTC),
            tags=[owner or "everybody"],
            default_args={"retries": 1, "retry_delay": timedelta(minutes=5), "owner": owner or "x"},
        )(body)()


factory = Factory("0 3 * * *")
every = read_list()
factory.make("", every["models"])
for team in every["teams"]:
    factory.make(team, every["teams"][team])
