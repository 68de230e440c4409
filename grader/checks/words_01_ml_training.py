"""The words that the checks of part 01 share: a nightly training.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from grader.judge import NotChecked, NotPassed, Observe, expect
from grader.judge.view import RunView, TaskView


def step(run: RunView, task_id: str) -> TaskView:
    """A task of the run. A task that was never called is the business of section 3, unless none
    was: then every task is still open.
    """
    if task_id in run.dag.task_ids:
        must_have_started(run)
        return run.task(task_id)
    expect(
        len(run.dag.task_ids) > 1,
        happened=f"The DAG has no task `{task_id}` yet.",
        expected="Section 3 puts it into the DAG; then its own section can be checked.",
        at=run.dag,
    )
    raise NotChecked(f"not checked because the DAG has no task `{task_id}` yet")


def must_have_started(run: RunView) -> None:
    """No task starts before the DAG's start date. Which day that is, section 1 judges."""
    if not run.ran:
        raise NotChecked(f"not checked because no task started (start: {run.dag.data.start_date})")


def comes_first(observe: Observe, earlier: Callable[..., None]) -> None:
    """Like `requires`, but a task of which nothing is there yet fails by itself."""
    try:
        earlier(observe)
    except NotPassed:
        raise NotChecked(f"not checked because this comes first: {earlier.__doc__}") from None
    observe("good data")  # the message shows what was observed last


def entry(task: TaskView, todo: int, key: str) -> Any:
    """One entry of the dict that a task returned, or a sentence for what is there instead."""
    task.must_be_done(todo)
    task.must_have_succeeded()
    value = task.tries[-1].xcoms.get("return_value")
    expect(
        value is not None and (not value.is_json or value.json_value is not None),
        happened=f"`{task.task_id}` ended well but returned nothing, so the next task gets None.",
        expected=f"It returns a dict with the key `{key}`. Is there a `return` in front of it?",
        at=task,
    )
    return task.field(key)


def number(task: TaskView, todo: int, key: str) -> Any:
    """Such an entry that is a number."""
    value = entry(task, todo, key)
    expect(
        isinstance(value, int | float) and not isinstance(value, bool),
        happened=f"`{task.task_id}` returned {value!r} as `{key}`.",
        expected=f"`{key}` is a number.",
        at=task,
    )
    return value


def near(value: float, wanted: float, units: tuple[float, ...]) -> bool:
    """Whether a size is right to two percent, in one of the usual units."""
    return any(abs(value - wanted / unit) <= 0.02 * wanted / unit for unit in units)


def raised(task: TaskView) -> str:
    """Type and text of the last error."""
    return f"{task.error.type}: {task.error.message}" if task.error else "nothing"


def has_number(text: str, wanted: float) -> bool:
    """Whether a text has a share in it, as it is or in percent, perhaps rounded."""
    found = [float(number) for number in re.findall(r"\d*\.?\d+", text)]
    return any(min(abs(x - wanted), abs(x / 100 - wanted)) <= 0.0051 for x in found)


def takes_the_verdict(run: RunView) -> bool:
    """Whether `deploy_model` got nothing but the verdict of `evaluate_model` and broke on it."""
    task = run.task("deploy_model")
    if not task.ran or task.state == "success":
        return False
    fields = [task.tries[-1].rendered.get(key) for key in ("op_args", "op_kwargs")]
    values = [field.json_value for field in fields if field is not None and field.is_json]
    given = [x for value in values for x in (value.values() if isinstance(value, dict) else value)]
    verdict = run.task("evaluate_model").xcoms.get("return_value")
    return bool(given) and not isinstance(verdict, dict) and all(x == verdict for x in given)


def judged(observe: Observe, *stories: str) -> Iterator[tuple[TaskView, str, float]]:
    """What `evaluate_model` made of each story's model, also in words, and the accuracy."""
    for story in stories:
        run = observe(story).run
        accuracy = number(step(run, "train_model"), 5, "accuracy")
        task = step(run, "evaluate_model")
        words = f"The accuracy was {accuracy:.4g}, and `evaluate_model` ended as {task.state}"
        yield task, words, accuracy
