"""The inputs of part 08: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

import yaml

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

LIST, PHOTOS = "data/models.yaml", "data/photos.csv"
FACTORY = "model_factory"
Model = dict[str, Any]

NAMES = (
    "alexnet", "convnext", "densenet", "efficientnet", "ghostnet", "inception", "lenet",
    "mobilenet", "regnet", "resnet", "squeezenet", "vgg",
)  # fmt: skip
VERSIONS = ("ResNet 50 (v2)", "VGG-16/bn", "MobileNet v3: small", "Dense Net, 121", "ConvNeXt #3")
TEAMS = ("app", "hotline", "kiosk", "returns", "shops", "website", "workshop")
TWO_WORDS = ("Call centre", "B2B (north)", "Trade-in desk", "Screens & more")
# From hardly trained to well trained; each seed's photos give them other scores.
SETTINGS = (
    (0.0005, 1), (0.001, 2), (0.001, 4), (0.002, 3), (0.002, 5), (0.005, 2),
    (0.005, 4), (0.01, 3), (0.02, 3), (0.02, 5), (0.05, 2), (0.05, 4),
)  # fmt: skip
RUNS_AWAY = (2.0, 3.0, 5.0)  # a learning rate above 1.5 is too large for these photos


# --- what is drawn ---


def id_of(name: str) -> str:
    """The id that belongs to a name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def some_night(rng: Random) -> datetime:
    """Three in the morning, within two years that no sensible `start_date` lies after."""
    return datetime(2028, 1, 1, 3, tzinfo=UTC) + timedelta(days=rng.randrange(700))


def photos(rng: Random) -> str:
    """A table of 240 photos; whether a screen is cracked follows a rule, with some exceptions."""
    scratches, dark, glare = rng.uniform(1.2, 1.6), rng.uniform(0.7, 1.1), rng.uniform(0.6, 1.0)
    middle = (scratches + dark - glare) / 2
    lines = ["photo_id,scratches,glare,dark_spots,cracked"]
    for number in range(1001, 1241):
        s, g, d = (round(rng.random(), 2) for _ in range(3))
        cracked = (scratches * s + dark * d - glare * g > middle) != (rng.random() < 0.07)
        lines.append(f"P-{number},{s:.2f},{g:.2f},{d:.2f},{'yes' if cracked else 'no'}")
    return "\n".join(lines) + "\n"


def score(model: Model, table: str) -> int | None:
    """How many test photos a model gets right after its training; None if it runs away."""
    rows = [
        ([1.0, *(float(row[f]) for f in ("scratches", "glare", "dark_spots"))], row["cracked"])
        for row in csv.DictReader(io.StringIO(table))
    ]
    seen = [(features, 1 if cracked == "yes" else -1) for features, cracked in rows]
    half, weights = len(seen) // 2, [0.0] * 4
    for _ in range(model["epochs"]):
        for features, label in seen[:half]:
            error = label - sum(w * x for w, x in zip(weights, features, strict=True))
            step = model["learning_rate"] * error
            weights = [w + step * x for w, x in zip(weights, features, strict=True)]
    if not all(math.isfinite(w) and abs(w) < 1e6 for w in weights):
        return None
    sums = (
        (label, sum(w * x for w, x in zip(weights, f, strict=True))) for f, label in seen[half:]
    )
    return sum(label * total > 0 for label, total in sums)


@lru_cache(maxsize=10)
def graded(table: str) -> dict[int, tuple[float, int]]:
    """One setting for each score that can be had with these photos."""
    found = {}
    for rate, epochs in SETTINGS:
        right = score({"learning_rate": rate, "epochs": epochs}, table)
        found[right or 0] = (rate, epochs)
    return found


def contest(rng: Random, table: str, size: int, *shared: str) -> list[Model]:
    """Models with different scores. The best has 100 or more and another less, so that it is not
    the greatest as a text; neither its place in the list nor its name gives it away.
    """
    by_score = graded(table)
    scores = sorted(by_score)
    best = scores[-1]
    others = [min(scores), *rng.sample(scores[1:-1], size - 2)]
    rng.shuffle(others)
    place = rng.randrange(1, size - 1)
    order = [*others[:place], best, *others[place:]]
    names = [*shared, *rng.sample([n for n in NAMES if n not in shared], size - len(shared))]
    names.sort()
    middle = names.pop(rng.randrange(1, size - 1))
    rng.shuffle(names)
    names.insert(place, middle)
    return [model(name, *by_score[right]) for name, right in zip(names, order, strict=True)]


def model(name: str, learning_rate: float, epochs: int) -> Model:
    """One entry of a list."""
    return {"name": name, "learning_rate": learning_rate, "epochs": epochs}


def enough_photos(rng: Random) -> str:
    """Photos with which the best score has three digits and another one has two."""
    while True:
        table = photos(rng)
        scores = sorted(graded(table))
        if scores[0] < 100 <= scores[-1] and len(scores) >= 6:
            return table


def some_models(rng: Random, names: list[str]) -> list[Model]:
    """A model for each name, with any settings."""
    return [model(name, *rng.choice(SETTINGS)) for name in names]


def page(models: list[Model], teams: dict[str, list[Model]]) -> str:
    """`models.yaml` as a person writes it: a line for each model."""
    text = ["models:", *(f"  - {line(one)}" for one in models)]
    text.append("teams:" if teams else "teams: {}")
    for team, found in teams.items():
        text.append(f"  {team}:" if found else f"  {team}: []")
        text += [f"    - {line(one)}" for one in found]
    return "\n".join(text) + "\n"


def line(one: Model) -> str:
    """A model in braces; a name is in quotes where YAML needs them."""
    name = one["name"] if one["name"].isalnum() else f'"{one["name"]}"'
    settings = "".join(f", {key}: {one[key]}" for key in one if key != "name")
    return f"{{name: {name}{settings}}}"


def a_night(rng: Random, text: str, *dag_ids: str, table: str | None = None) -> Scenario:
    """The file is loaded with this list, and an hour later one run of each DAG begins."""
    night = some_night(rng)
    return Scenario(
        files={LIST: text, PHOTOS: table} if table else {LIST: text},
        now=night - timedelta(hours=1),
        runs=tuple(PlannedRun(logical_date=night, dag_id=dag_id) for dag_id in dag_ids),
    )


# A list that is the same in two scenarios, so it is not drawn.
LONG = [model(name, 0.01, 3) for name in (*NAMES[:9], *VERSIONS[:3])]
LONG_TEAMS = {
    "Call centre": [model("vgg", 0.02, 2)],
    "website": [model(VERSIONS[3], 0.05, 2), model("vgg", 0.05, 2)],
}


@scenario("another list")
def another_list(rng: Random) -> Scenario:
    """Four models for everybody, and no teams."""
    table = enough_photos(rng)
    return a_night(rng, page(contest(rng, table, 4), {}), FACTORY, table=table)


@scenario("a training runs away")
def a_training_runs_away(rng: Random) -> Scenario:
    """One of four trainings fails at each try; of the others, two are equally good."""
    table = enough_photos(rng)
    by_score = graded(table)
    names = rng.sample(NAMES, 4)
    names[2:] = sorted(names[2:])  # so that the alphabet prefers the other one
    equal = by_score[max(by_score)]
    models = [
        model(names[0], rng.choice(RUNS_AWAY), 3),
        model(names[1], *by_score[min(by_score)]),
        model(names[2], *equal),
    ]
    rng.shuffle(models)
    models.append(model(names[3], *equal))
    return a_night(rng, page(models, {}), FACTORY, table=table)


@scenario("the only training runs away")
def the_only_training_runs_away(rng: Random) -> Scenario:
    """The shortest list there is. Its model has a name that is no id, and cannot be trained."""
    models = [model(rng.choice(VERSIONS), rng.choice(RUNS_AWAY), 3)]
    return a_night(rng, page(models, {}), FACTORY)


@scenario("some teams")
def some_teams(rng: Random) -> Scenario:
    """Two or three teams with lists of their own, one with a name that is no id; one DAG runs."""
    table = enough_photos(rng)
    teams = [*rng.sample(TEAMS, rng.randint(1, 2)), rng.choice(TWO_WORDS)]
    rng.shuffle(teams)
    models = contest(rng, table, 3)
    taken = [one["name"] for one in models]
    its_own = {team: contest(rng, table, 3, rng.choice(taken)) for team in teams}
    runs = f"{FACTORY}_{id_of(rng.choice(teams))}"
    return a_night(rng, page(models, its_own), runs, table=table)


@scenario("wrong lists")
def wrong_lists(rng: Random) -> Scenario:
    """A setting is missing from everybody's list, a team has a model twice, another has none."""
    twice, empty, right = rng.sample(TEAMS, 3)
    models = some_models(rng, rng.sample(NAMES, 3))
    missing = rng.choice(models)
    del missing[rng.choice(["learning_rate", "epochs"])]
    again = some_models(rng, rng.sample(NAMES, 2))
    other = again[0]["name"] if rng.random() < 0.5 else again[0]["name"].upper()
    again.append(model(other, *rng.choice(SETTINGS)))
    its_own = {twice: again, empty: [], right: some_models(rng, rng.sample(NAMES, 3))}
    text = page(models, dict(rng.sample(list(its_own.items()), 3)))
    return a_night(rng, text, FACTORY, f"{FACTORY}_{twice}", f"{FACTORY}_{empty}")


@scenario("a list that is no YAML")
def a_list_that_is_no_yaml(rng: Random) -> Scenario:
    """Somebody has typed a colon, a tab or a bracket too much."""
    lines = page(some_models(rng, rng.sample(NAMES, 5)), {}).splitlines()
    number = rng.randrange(2, 5)
    broken = [
        lines[number].replace("epochs: ", "epochs: : "),
        "\t" + lines[number].lstrip(),
        lines[number].replace("}", "]}"),
    ]
    lines[number] = rng.choice(broken)
    return Scenario(files={LIST: "\n".join(lines) + "\n"}, now=some_night(rng))


@scenario("an empty list")
def an_empty_list(rng: Random) -> Scenario:
    """The file has been cut off: nothing is in it, or only its last lines."""
    text = rng.choice(["", "# Which models are trained each night.\n", "teams: {}\n"])
    return Scenario(files={LIST: text}, now=some_night(rng))


@scenario("twelve models and two teams")
def twelve_models_and_two_teams(rng: Random) -> Scenario:
    """The file is loaded at night."""
    return Scenario(files={LIST: page(LONG, LONG_TEAMS)}, now=some_night(rng))


@scenario("the same list on another day")
def the_same_list_on_another_day(rng: Random) -> Scenario:
    """The file is loaded more than two years later, in the afternoon."""
    later = timedelta(days=800, hours=rng.randint(7, 20), minutes=rng.randrange(60))
    return Scenario(files={LIST: page(LONG, LONG_TEAMS)}, now=some_night(rng) + later)


# --- what is right for it ---


def lists(given: Scenario) -> dict[str, list[Model]]:
    """The list of each DAG, by its id."""
    content = yaml.safe_load(given.files[LIST] or "")
    teams = {f"{FACTORY}_{id_of(team)}": found for team, found in content["teams"].items()}
    return {FACTORY: content["models"], **teams}


def trainings(models: list[Model]) -> list[str]:
    """The task ids of the trainings."""
    return [f"train_{id_of(one['name'])}" for one in models]


def results(given: Scenario, dag_id: str = FACTORY) -> dict[str, int | None]:
    """The score of each model of a list, by its name; None for one that runs away."""
    table = given.files[PHOTOS] or ""
    return {one["name"]: score(one, table) for one in lists(given)[dag_id]}


def best(given: Scenario, dag_id: str = FACTORY) -> list[str]:
    """The names of the models with the highest score, in the order of the list."""
    scores = results(given, dag_id)
    top = max(right for right in scores.values() if right is not None)
    return [name for name, right in scores.items() if right == top]


def wrong(given: Scenario) -> dict[str, tuple[str, ...]]:
    """The DAGs whose lists are wrong, and the words that say what is wrong with each."""
    found: dict[str, tuple[str, ...]] = {}
    for dag_id, models in lists(given).items():
        ids = [id_of(one["name"]) for one in models]
        twice = {one for one in ids if ids.count(one) > 1}
        missing = [
            (m["name"], key) for m in models for key in ("learning_rate", "epochs") if key not in m
        ]
        if missing or twice or not models:
            found[dag_id] = (*(missing[0] if missing else ()), *twice)
    return found


def broken_lines(given: Scenario) -> set[int]:
    """The lines that YAML names when it cannot read the list."""
    try:
        yaml.safe_load(given.files[LIST] or "")
    except yaml.MarkedYAMLError as error:
        marks = (error.problem_mark, error.context_mark)
        return {mark.line + 1 for mark in marks if mark is not None}
    raise ValueError("this list can be read")
