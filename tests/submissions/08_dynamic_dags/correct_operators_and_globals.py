"""Heron Mobile's model factory, with operators, `DAG` as a context and the names in `globals()`."""

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
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, TriggerRule, get_current_context

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
    """Read the list; say in own words where it is broken."""
    path = DATA / "models.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        assert error.problem_mark is not None
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        said = f"{path.name}, line {line}, column {column}: {error.problem}"
        raise RuntimeError(said) from None
    problem = shape_problem(content)
    assert problem is None, f"{path.name}: {problem}"
    return {"models": content["models"], "teams": content["teams"]}


def choose(ti: Any, names: list[str]) -> None:
    """Pull the results of those that have one, and deploy the best."""
    results = [ti.xcom_pull(task_ids=name) for name in names]
    order = sorted((r for r in results if r), key=lambda result: -result["score"])
    put_into_service(order[0])


def complain(about: list[str]) -> None:
    """Fail."""
    raise ValueError("\n".join(about))


def fill(models: list[dict[str, Any]]) -> None:
    """Put the tasks into the DAG that is being made."""
    problems = problems_of(models)
    if problems:
        PythonOperator(
            task_id="wrong_list", retries=0, python_callable=complain, op_args=[problems]
        )
        return
    trainings = []
    for model in models:
        trainings.append(
            PythonOperator(
                task_id="train_" + id_of(model["name"]),
                python_callable=train_model,
                op_kwargs={"model": model},
            )
        )
    chosen = PythonOperator(
        task_id="deploy_best",
        python_callable=choose,
        op_kwargs={"names": [training.task_id for training in trainings]},
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    )
    trainings >> chosen


def make(suffix: str, models: list[dict[str, Any]]) -> DAG:
    """Make one DAG."""
    with DAG(
        dag_id=f"model_factory{suffix}",
        start_date=datetime(2025, 6, 1, tzinfo=UTC),
        schedule="0 3 * * *",
        default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    ) as made:
        fill(models)
    return made


found = read_list()
globals()["model_factory"] = make("", found["models"])
for number, (team, models) in enumerate(found["teams"].items()):
    globals()[f"team_{number}"] = make(f"_{id_of(team)}", models)
