"""The words that the checks of part 02 share: a delivery of usage events.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from grader.judge import NotChecked, Observation, expect
from grader.judge.view import DagView, RunView, TaskView, names

CHECKS = ("check_data_completeness", "check_schema_validity", "check_data_quality_metrics")
ORDER = (
    ("check_data_freshness", "handle_stale_data"),
    *pairwise(("check_data_freshness", *CHECKS, "quality_check_passed")),
)


def near(value: object, share: float) -> bool:
    """Whether a returned value is the share, to four digits."""
    return isinstance(value, int | float) and abs(value - share) < 6e-5


def rounded(value: Any) -> Any:
    """The value with its floats cut to four digits, to be read by people."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def started(seen: Observation, task_id: str) -> TaskView:
    """A task that ran. If it was never reached, that is the business of another check."""
    run = seen.run if len(seen.scenario.runs) == 1 else seen.runs[0]
    task = run.task(task_id)
    if not task.ran:
        story = f'`{task_id}` was not reached in scenario "{seen.scenario.name}"'
        for error, earlier in ((run.task(t).error, t) for t in run.ran):
            if error and run.states.get(earlier) == "failed":
                raised = f"{error.type}: {error.message}"
                raise NotChecked(f"{story}: before it, `{earlier}` raised {raised}")
        raise NotChecked(f"{story}: it was left as {task.state}.")
    return task


def must_be_called_once(dag: DagView) -> None:
    """No task function is called twice; Airflow puts a number to the id of the second task."""
    for task_id in dict.fromkeys(t for pair in ORDER for t in pair):
        same = [t for t in dag.task_ids if re.fullmatch(rf"{task_id}(__\d+)?", t)]
        times = {2: ("twice", "two")}.get(len(same), (f"{len(same)} times", str(len(same))))
        expect(
            len(same) < 2,
            happened=f"`{task_id}` is called {times[0]}, so the DAG has {times[1]} such tasks "
            f"({names(same)}).",
            expected="Call it once, give the result a name, and use the name in both lines.",
            at=dag,
        )


def must_not_crash(task: TaskView, expected: str) -> None:
    """No exception came out of the learner's own lines other than the ValueError of a refusal."""
    error = task.error
    if error is None or error.line is None or error.type in ("ValueError", "AirflowException"):
        return
    helper = error.todo is None
    where = " (inside a given helper)" if helper else ""
    why = (
        " A helper that asks for `rows` wants the rows alone, and `read_events()` gives two "
        "things: `columns, rows = read_events()`."
    )
    expect(
        False,
        happened=f"`{task.task_id}` raised{where} {error.type}: {error.message}",
        expected=expected + why * helper,
        at=task.facts if helper else error,
    )


def must_let_through(task: TaskView, what: str) -> None:
    """The task ran on data that it has to accept."""
    must_not_crash(task, f"{what}; `{task.task_id}` accepts that and succeeds.")
    said = f"{task.error.type}: {task.error.message}" if task.error else f"ended as {task.state}"
    expect(
        task.state == "success",
        happened=f"{what}, and `{task.task_id}` refused it: {said}",
        expected=f"`{task.task_id}` accepts it and succeeds.",
        at=task,
    )


def must_choose(branch: TaskView, target: str, age: str) -> None:
    """The branch came to a choice. Airflow's own errors about a wrong one are hard to read."""
    must_not_crash(branch, f"It returns the text {target!r}.")
    error = branch.error
    why = f": {error.type}: {error.message}" if error else f"; it ended as {branch.state}."
    expect(
        branch.state == "success",
        happened=f"{age}. `{branch.task_id}` came to no choice{why}",
        expected=f"It returns the id of the task to go on with, as a text in quotes: {target!r}. "
        "Not the function, not a call of it, not the name of a task that does not exist.",
        at=branch,
    )


def must_refuse(run: RunView, task: TaskView, what: str, hint: str = "") -> str:
    """The task failed with a ValueError and the next one never ran; returns what the error says."""
    expect(
        task.state == "failed",
        happened=f"{what}, but `{task.task_id}` ended as {task.state}.",
        expected="It raises a ValueError. Airflow sees a task fail only when an exception leaves "
        f"it; a printed warning or a returned False counts as success.{hint}",
        at=task,
    )
    error = task.error
    raised = f"{error.type}: {error.message}" if error else "nothing that was seen"
    expect(
        error is not None and error.type == "ValueError",
        happened=f"{what}; `{task.task_id}` raised {raised}.",
        expected="It raises a ValueError that says what is wrong with the data.",
        at=task,
    )
    for after in (after for before, after in pairwise(CHECKS) if before == task.task_id):
        expect(
            not run.task(after).ran,
            happened=f"`{task.task_id}` failed, but `{after}` ran all the same.",
            expected=f"`{after}` runs only if `{task.task_id}` succeeded.",
            at=run.task(after),
        )
    return error.message if error else ""
