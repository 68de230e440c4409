"""The words that the checks of part 08 share: import errors, trainings, and what is in service.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import json

from grader.checks.inputs_08_dynamic_dags import FACTORY, id_of, lists, trainings
from grader.judge import NotPassed, Observation, Observe
from grader.judge.view import DagView, RunView, TaskView, moment, names
from grader.transcript import Error

DEPLOY, YAML = "deploy_best", "models.yaml"


def shown(error: Error) -> str:
    """An error on one line."""
    return f"{error.type}: {' '.join(error.message.split())}"


def how_many(count: int, what: str) -> str:
    """`no teams`, `1 team`, `2 teams`."""
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def refusal(observe: Observe, story: str, what: str) -> Error:
    """The import error that a list has to be which nobody can use, or `NotPassed`."""
    seen = observe(story, may_fail=True)
    if seen.transcript.import_error is not None:
        return seen.transcript.import_error
    dags = list(seen.dags)
    raise NotPassed(
        f"{what} The file loaded without an error, and made "
        f"{f'the DAG {names(dags)}' if dags else 'no DAG at all'}.",
        "An import error. Where a DAG is no longer made, Airflow switches it off without a word; "
        "an import error is shown in red on its page. So the error has to leave `read_list`.",
    )


def loaded(
    observe: Observe, story: str, what: str, advice: str, line: int | None = None
) -> Observation:
    """What the file made of a list, or `NotPassed` with what is special about this list. `line` is
    where to look if the error has no line.
    """
    seen = observe(story, may_fail=True)
    error = seen.transcript.import_error
    if error is not None:
        if error.type == "ArithmeticError":
            advice = "`train_model` was called by what runs while the file is loaded."
        if "two DAGs with the id" in error.message:
            advice = (
                "`dag_id` in `@dag` is what the factory was asked for (its parameter `dag_id`), so "
                "that each call makes another DAG."
            )
        raise NotPassed(
            f"{what} Loading the file raised {shown(error)}",
            f"The file loads. {advice}",
            line=error.line or line,
        )
    return seen


def left_behind(seen: Observation) -> list[str]:
    """What loading the file did to the world outside of it, but for files that are gone again."""
    touched = seen.transcript.loading.touched
    gone = {what.removeprefix("remove ") for what in touched if what.startswith("remove ")}
    return [what for what in touched if what.split(" ", 1)[1] not in gone]


def trained_while_loading(seen: Observation) -> bool:
    """Whether loading the file took time. Only a training sleeps."""
    return seen.transcript.loading.slept > 0.5


def run_of(seen: Observation, dag_id: str = FACTORY) -> RunView:
    """The run of one DAG."""
    (run,) = seen.runs_of(dag_id)
    return run


def found_trainings(dag: DagView) -> list[str]:
    """The tasks of a DAG that train something."""
    return [task_id for task_id in dag.task_ids if task_id.startswith("train")]


def wrong_trainings(seen: Observation, dag_id: str) -> bool:
    """Whether a DAG has other trainings than its list has models."""
    wanted = trainings(lists(seen.scenario)[dag_id])
    return sorted(wanted) != sorted(found_trainings(seen.dag_named(dag_id)))


def must_train_its_list(seen: Observation, dag_id: str, hint: str) -> None:
    """A DAG has a training for each model of its list, and no other one."""
    if not wrong_trainings(seen, dag_id):
        return
    dag, models = seen.dag_named(dag_id), lists(seen.scenario)[dag_id]
    wanted, found = trainings(models), found_trainings(dag)
    listed = ", ".join(repr(one["name"]) for one in models)
    if any(task.mapped for task in dag.data.tasks):
        hint = (
            "`expand` makes one task, and its parts when a run comes to it. A loop makes a task "
            "for each when the file is loaded."
        )
    elif found and all(task_id.split("__")[0] == "train" for task_id in found):
        hint = (
            "A task that is called again gets a number. To give each call a name of its own: "
            "`train.override(task_id=...)(model)`."
        )
    elif sorted(id_of(task_id) for task_id in found) == sorted(wanted):
        hint = "`id_of` makes the id of a name."
    elif not found:
        hint = "A call in a loop puts a task into the DAG each time."
    happened = f"The list of `{dag_id}` has the models {listed}. Its trainings are: {names(found)}."
    if not found and trained_while_loading(seen):
        happened += " `train_model` was called while the file was loaded, and no task was made."
        hint = (
            "`train(...)` puts a task into the DAG. `train_model(...)` trains at once, each time "
            "Airflow loads the file; it belongs into the body of `train`."
        )
    raise NotPassed(
        happened,
        f"The trainings {names(wanted)}. {hint}",
        line=dag.line,
    )


def in_service(seen: Observation, dag_id: str = FACTORY) -> str | None:
    """The name of the model that a DAG has put into service, or None."""
    for file in seen.transcript.files:
        if file.path.endswith(f"{FACTORY}/{dag_id}.json"):
            try:
                content = json.loads(file.text or "")
            except (ValueError, RecursionError):
                return None
            return str(content.get("model")) if isinstance(content, dict) else None
    return None


def scoreboard(scores: dict[str, int | None]) -> str:
    """`The scores: vgg 98, resnet none (it ran away).`, in the order of the list."""
    shown = (f"{n} {'none (it ran away)' if s is None else s}" for n, s in scores.items())
    return f"The scores: {', '.join(shown)}."


def likely_mistake(found: str | None, scores: dict[str, int | None]) -> str:
    """How one comes to choose this model, as a sentence, if there is only one way."""
    order = list(scores)
    ways = {
        "It is the first of the list.": order[0],
        "It is the last of the list.": order[-1],
        "It is the first in the alphabet: compare scores.": min(order),
        "It is the last in the alphabet: compare scores.": max(order),
        "It has the lowest score.": min(order, key=lambda name: scores[name] or 0),
        "As texts, '98' is more than '104'.": max(order, key=lambda name: str(scores[name])),
    }
    likely = [way for way, name in ways.items() if name == found]
    return likely[0] if len(likely) == 1 else ""


def mistake_in(dag_id: str, words: tuple[str, ...]) -> str:
    """What is wrong with the list of a DAG, as a sentence; `words` are those of `wrong`."""
    what = {0: "it is empty", 1: "two models have the id {}", 2: "{} has no {}"}[len(words)]
    return f"The list of `{dag_id}` was wrong: {what.format(*words)}."


def what_it_did(task: TaskView) -> str:
    """What became of the deployment, as a sentence."""
    if not task.ran:
        return f"`{task.task_id}` was never started; it was left as {task.state}."
    return f"`{task.task_id}` {task.ending}"


def not_over(before: list[TaskView], task: TaskView) -> list[str]:
    """Those tasks that had another try to come when this one began."""
    begin = moment(task.tries[0].start)
    return [t.task_id for t in before if t.ran and moment(t.tries[-1].start) > begin]
