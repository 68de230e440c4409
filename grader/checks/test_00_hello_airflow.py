"""Hidden checks of part 00: a name from `conf` travels through two tasks and is greeted.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from random import Random
from typing import Any

from grader.judge import (
    NotChecked,
    NotPassed,
    Observation,
    Observe,
    check,
    expect,
    scenario,
)
from grader.judge.view import RunView, TaskView, names
from grader.scenario import PlannedRun, Scenario

STEPS = ("choose_name", "greet")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


# --- what the submission goes through ---


@scenario("a name is given")
def a_name_is_given(rng: Random) -> Scenario:
    """A name with capitals and a blank in it, so that a changed name shows."""
    first = rng.choice(["Ada", "Grace", "Katherine", "Mary", "Zoë", "Radia"])
    last = rng.choice(["McKay", "O'Neill", "de la Cruz", "van Rossum", "Ó Briain", "ten Brink"])
    return Scenario(runs=(PlannedRun(logical_date=MONDAY, conf={"name": f"{first} {last}"}),))


@scenario("no name is given")
def no_name_is_given(rng: Random) -> Scenario:
    """A run that somebody starts without typing anything."""
    day = MONDAY.replace(day=rng.randint(3, 27))
    return Scenario(runs=(PlannedRun(logical_date=day),))


# --- the words the checks share ---


def given_name(seen: Observation) -> str:
    """The name that the person typed."""
    return str(seen.scenario.runs[0].conf["name"])


def step(run: RunView, task_id: str) -> TaskView:
    """A task of the run. A task that was never called is the business of section 3."""
    if task_id not in run.dag.task_ids:
        raise NotChecked(f"The DAG has no task `{task_id}`.")
    return run.task(task_id)


def returned(task: TaskView, todo: int, wanted: str, clue: str) -> Any:
    """What the task returned, or a sentence for what every beginner meets.

    `clue` in the output of the task tells that it printed what it should have returned.
    """
    task.must_be_done(todo, wanted)
    task.must_have_succeeded()
    value = task.tries[-1].xcoms.get("return_value")
    if value is None or (value.is_json and value.json_value is None):
        printed = " It printed it, and the log is for people." if clue in task.output else ""
        raise NotPassed(
            f"`{task.task_id}` ended well but returned nothing.{printed}",
            f"{wanted} What a task hands to the next one is what it returns.",
            line=task.line,
        )
    if not value.is_json:
        comma = " A comma between two values makes two of them." if value.type == "tuple" else ""
        raise NotPassed(
            f"`{task.task_id}` returned a {value.type}: {value.repr}",
            f"{wanted}{comma}",
            line=task.line,
        )
    return value.json_value


def received(task: TaskView) -> str:
    """The arguments a task was called with, as one text to look into."""
    fields = [task.tries[-1].rendered.get(key) for key in ("op_args", "op_kwargs")]
    return " ".join(
        json.dumps(field.json_value, ensure_ascii=False) if field.is_json else field.repr
        for field in fields
        if field is not None
    )


def wired(observe: Observe) -> None:
    """Like `requires` on the chosen name, for a check that has something to say before it."""
    try:
        test_choose_name_returns_the_name_that_was_given(observe)
        test_greet_waits_for_choose_name(observe)
        test_the_chosen_name_reaches_greet(observe)
    except (NotChecked, NotPassed):
        title = test_the_chosen_name_reaches_greet.__doc__
        raise NotChecked(f"not checked because this comes first: {title}") from None


# --- 1. Read the name ---


@check(task=1)
def test_choose_name_returns_the_name_that_was_given(observe: Observe) -> None:
    """Started with a name, `choose_name` returns that name."""
    seen = observe("a name is given")
    name = given_name(seen)
    task = step(seen.run, "choose_name")
    error = task.error
    expect(
        error is None or error.type not in ("KeyError", "AttributeError"),
        happened=f"`choose_name` raised {error and error.type}: {error and error.message}",
        expected="`params` is a dict with the key 'name'.",
        at=task,
    )
    wanted = f"Started with the name {name!r}, `choose_name` returns {name!r}."
    value = returned(task, 1, wanted, clue=name)
    default = seen.dag.data.params.get("name")
    if isinstance(value, str) and "{{" in value:
        why = " Airflow fills in `{{ ... }}` in the arguments of a task, not in what it returns."
    elif isinstance(value, dict):
        why = " That is all the parameters in a dict; only one of them is wanted."
    elif value == default:
        why = " That is the DAG's default, not what this run was started with."
    else:
        why = ""
    expect(
        value == name,
        happened=f"The run was started with the name {name!r}; `choose_name` returned {value!r}."
        + why,
        expected=f"`choose_name` returns {name!r}.",
        at=task,
    )


@check(task=1, requires=test_choose_name_returns_the_name_that_was_given)
def test_without_a_name_the_default_is_used(observe: Observe) -> None:
    """Started without a name, `choose_name` returns the default of the DAG."""
    seen = observe("no name is given")
    task = step(seen.run, "choose_name")
    params = seen.dag.data.params
    expect(
        isinstance(params.get("name"), str) and params["name"] != "",
        happened=f"The DAG declares no default for `name`; its parameters: {names(list(params))}.",
        expected="`params` of the DAG names the parameter `name` and a default, as it was given.",
        at=seen.dag,
    )
    default = params["name"]
    if task.error is not None:
        raise NotPassed(
            "The run was started without a name, and `choose_name` raised "
            f"{task.error.type}: {task.error.message}. What a person typed (`conf`) may be empty.",
            f"`choose_name` falls back on the default, {default!r}. `params` has both.",
            line=task.line,
        )
    wanted = f"Without a name, `choose_name` returns the default {default!r}."
    value = returned(task, 1, wanted, clue=default)
    expect(
        value == default,
        happened=f"The run was started without a name; `choose_name` returned {value!r}.",
        expected=f"It returns the default of the DAG, {default!r}.",
        at=task,
    )


# --- 2. Build the greeting ---


@check(task=2)
def test_greet_returns_a_text(observe: Observe) -> None:
    """`greet` returns a text."""
    task = step(observe("a name is given").run, "greet")
    if not task.ran:
        raise NotChecked(f"`greet` was never started; it was left as {task.state}.")
    value = returned(task, 2, "`greet` returns one text, such as 'Hello, Ada!'.", clue="Hello")
    expect(
        isinstance(value, str),
        happened=f"`greet` returned {value!r}, which is no text but a {type(value).__name__}.",
        expected="One text, such as 'Hello, Ada!'.",
        at=task,
    )


@check(task=2, requires=test_greet_returns_a_text)
def test_the_greeting_is_spelled_as_asked(observe: Observe) -> None:
    """The greeting has the form "Hello, <name>!"."""
    task = step(observe("a name is given").run, "greet")
    value = task.xcom()
    expect(
        value.startswith("Hello, ") and value.endswith("!") and len(value) > len("Hello, !"),
        happened=f"`greet` returned {value!r}.",
        expected="'Hello', a comma, one blank, the name and an exclamation mark: 'Hello, Ada!'.",
        at=task,
    )


# --- 3. Connect the two tasks ---


@check(task=3)
def test_greet_waits_for_choose_name(observe: Observe) -> None:
    """`greet` runs after `choose_name`."""
    dag = observe("a name is given").dag
    missing = [task_id for task_id in STEPS if task_id not in dag.task_ids]
    told = "The DAG has no task" if len(missing) == 1 else "These tasks are missing:"
    expect(
        not missing,
        happened=f"{told} {names(missing)}. The tasks of the DAG: {names(dag.task_ids)}.",
        expected="Both functions are called, with parentheses: only a call puts a task in the DAG.",
        at=dag,
    )
    for task_id in STEPS:
        same = [task_id, *(t for t in dag.task_ids if re.fullmatch(rf"{task_id}__\d+", t))]
        times, count = {2: ("twice", "two")}.get(len(same), (f"{len(same)} times", len(same)))
        one = {
            "choose_name": "One call, inside the parentheses of `greet`. Delete the other line.",
            "greet": "One call, with that of `choose_name` inside its parentheses. Delete the "
            "other line.",
        }
        expect(
            len(same) == 1,
            happened=f"`{task_id}` is called {times}, so the DAG has {count} tasks of it: "
            f"{names(same)}.",
            expected=one[task_id],
            at=dag.task(task_id),
        )
    turned = ("greet", "choose_name") in dag.edges
    expect(
        ("choose_name", "greet") in dag.edges,
        happened="`choose_name` waits for `greet`: the order is turned around."
        if turned
        else "Nothing tells `greet` to wait for `choose_name`; the two stand side by side.",
        expected="Hand what `choose_name` returns to `greet`: that is data and order in one.",
        at=dag.task("greet"),
    )


@check(
    task=3,
    requires=(
        test_choose_name_returns_the_name_that_was_given,
        test_greet_returns_a_text,
        test_greet_waits_for_choose_name,
    ),
)
def test_the_chosen_name_reaches_greet(observe: Observe) -> None:
    """The name that `choose_name` returned arrives in `greet`."""
    seen = observe("a name is given")
    name, task = given_name(seen), seen.run.task("greet")
    expect(
        name in received(task) or name in task.xcom(),
        happened=f"`choose_name` returned {name!r}, but `greet` was not given it: it returned "
        f"{task.xcom()!r}.",
        expected="`greet` is called with what `choose_name` returns, not with a fixed text.",
        at=task,
    )


@check(task=2, requires=test_the_greeting_is_spelled_as_asked)
def test_the_greeting_names_whoever_was_chosen(observe: Observe) -> None:
    """The greeting has the chosen name in it, letter for letter."""
    seen = observe("a name is given")
    name, task = given_name(seen), seen.run.task("greet")
    value = task.xcom()
    expect(
        re.search(r"(?<!\{)\{\w+\}", value) is None,
        happened=f"`greet` returned {value!r}. The braces are still there: nothing filled them in.",
        expected="A text needs an `f` in front of its opening quote; then the name stands where "
        "the braces are.",
        at=task,
    )
    wired(observe)
    expect(
        value == f"Hello, {name}!",
        happened=f"`greet` was given {name!r} and returned {value!r}.",
        expected=f"It returns {f'Hello, {name}!'!r}, with the name as it came in.",
        at=task,
    )


@check(task=3, requires=test_greet_waits_for_choose_name)
def test_it_runs_only_when_somebody_starts_it(observe: Observe) -> None:
    """The DAG never starts on its own."""
    dag = observe("no name is given").dag
    soon = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in dag.next_runs)
    expect(
        not dag.next_runs,
        happened=f"The DAG would start on its own at {soon}.",
        expected="This one has no schedule: a person starts it and may type a name. Leave "
        "`schedule=None` as it was given.",
        at=dag,
    )
