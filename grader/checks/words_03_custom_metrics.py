"""The words that the checks of part 03 share: metrics and a watch.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

from typing import Any

from grader.checks.inputs_03_custom_metrics import (
    PLANS,
)
from grader.judge import NotChecked, Observation, expect
from grader.judge.view import RunView, TaskView, names

READ, TIME = "heron.callers_read", "heron.scoring_time"
RISK, DONE = "heron.callers_at_risk", "heron.watch_finished"
KINDS = {"c": "counter", "g": "gauge", "ms": "timing"}
CALLS = {"c": "stats.incr", "g": "stats.gauge", "ms": "stats.timer"}
# How the names begin that Airflow itself sends.
AIRFLOWS = ("ti.", "ti_", "task", "dag", "operator_", "serde.", "asset", "scheduler", "io.", "job")
Metric = Any  # one StatsD line of a transcript: name, value, type, tags


def done(run: RunView, task_id: str, todo: int) -> TaskView:
    """A task that ran and succeeded. If it was never reached, another check tells why."""
    task = run.task(task_id)
    if not task.ran:
        for earlier in run.ran:
            if run.states.get(earlier) == "failed" and (earlier, task_id) in run.dag.paths:
                raise NotChecked(f"`{task_id}` was not reached: before it, `{earlier}` failed.")
    task.must_be_done(todo)
    task.must_have_succeeded()
    return task


def sent(seen: Observation, name: str, kind: str, task: TaskView) -> list[Metric]:
    """The metrics of a name, or `NotPassed` with what arrived in their place."""
    found = [m for m in seen.transcript.metrics if m.name == f"airflow.{name}"]
    own = {m.name.removeprefix("airflow.") for m in seen.transcript.metrics}
    own -= {name for name in own if name.startswith(AIRFLOWS)} | {READ, TIME, RISK, DONE}
    others = f" What did arrive under a name of your own: {names(sorted(own))}." if own else ""
    expect(
        bool(found),
        happened=f"No metric `{name}` arrived.{others}",
        expected=f"`{task.task_id}` sends `{name}` with `{CALLS[kind]}`. Airflow adds `airflow.` "
        "in front by itself. If there is anything in name or tags but ASCII letters, digits, `_`, "
        "`-`, `.` and `/`, it drops the metric and says so only in the log.",
        at=task,
    )
    wrong = sorted({KINDS.get(m.type, m.type) for m in found if m.type != kind})
    expect(
        not wrong,
        happened=f"`{name}` arrived as a {' and a '.join(wrong)}.",
        expected=f"It is a {KINDS[kind]}: `{CALLS[kind]}`.",
        at=task,
    )
    return found


def by_plan(found: list[Metric], name: str, task: TaskView) -> dict[str, list[float]]:
    """The values in the order of their arrival; only plans that exist, and at least one."""
    values: dict[str, list[float]] = {}
    for metric in found:
        plan = metric.tags.get("plan")
        expect(
            plan in PLANS,
            happened=f"`{name}` arrived with {tagged(metric)}.",
            expected="It has the tag `plan` with the name of the plan, for example plan=flat. "
            'Tags are a dict: `tags={"plan": plan}`.',
            at=task,
        )
        values.setdefault(str(plan), []).append(metric.value)
    return values


def written(values: dict[str, Any]) -> str:
    """`family 12, flat 9`, for a sentence."""
    shown = (f"{plan} {values[plan]:g}" for plan in PLANS if plan in values)
    return ", ".join(shown) or "nothing"


def answer_of(task: TaskView) -> Any:
    """What a task returned, None where there is no XCom."""
    return task.xcoms.get("return_value")


def is_number(value: object, wanted: float) -> bool:
    """Whether a returned value is that number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and wanted - 1e-9 < value < wanted + 1e-9  # type: ignore[operator]


def tagged(metric: Metric) -> str:
    """`the tags plan=flat`, for a sentence."""
    shown = ", ".join(f"{key}={value}" for key, value in metric.tags.items())
    return f"the tags {shown}" if shown else "no tag"
