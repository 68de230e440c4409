"""The words that the checks of part 11 share: shops, alerts, and what was published.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from grader.checks.inputs_11_error_handling import PUBLISHED, SHOPS, numbers, replies, troubles
from grader.judge import NotChecked, Observation, expect
from grader.judge.view import RunView, TaskView, moment, times
from grader.scenario import HttpReply

MAKE, FETCH, PUBLISH, REMOVE = "make_staging", "fetch_orders", "publish", "remove_staging"
UNKNOWN = "Nobody has met this one."
# What an alert about each kind of trouble has to hold, and how its advice begins.
ERRORS = {
    "refused": ("KeyRefused", "Ask the shop for a new key"),
    "no list": ("NotOrders", "Look at what came"),
    "down": ("ShopDown", "See whether the shop is back"),
    "unknown": ("RuntimeError", UNKNOWN),
}
RAISED = re.compile(r"^(?:\w+\.)*(\w+): (.+)$", re.MULTILINE)
LOGGED = re.compile(r"^\d{4}-\d\d-\d\dT", re.MULTILINE)  # how a line of the log begins


def fetched(run: RunView, shop: str) -> TaskView:
    """The instance of `fetch_orders` for a shop."""
    facts, index = run.dag.task(FETCH), SHOPS.index(shop)
    states = [i.state for i in run.data.instances if (i.task_id, i.map_index) == (FETCH, index)]
    tries = [t for t in run.data.tries if (t.task_id, t.map_index) == (FETCH, index)]
    return TaskView(facts=facts, state=states[0] if states else "none", tries=tries)


def written(run: RunView, shop: str) -> TaskView:
    """The same, if it was started and its body is written."""
    task = fetched(run, shop)
    if not task.ran:
        raise NotChecked(f"`{FETCH}` was never started for {shop}; it was left as {task.state}.")
    task.must_be_done(1)
    if removed_before(run, task):
        raise NotChecked(
            f"not checked because section 4 comes first: `{REMOVE}` ran before `{FETCH}`"
        )
    return task


def removed_before(run: RunView, task: TaskView) -> bool:
    """Whether a task did not find its staging folder, because that was removed already."""
    lost = task.error is not None and task.error.type == "FileNotFoundError"
    removed = run.task(REMOVE).tries
    return lost and any(moment(t.start) <= moment(task.tries[-1].start) for t in removed)


def first_answer(seen: Observation, shop: str) -> HttpReply:
    """What a shop answers at the first call of the last night."""
    row = replies(seen.scenario, shop)
    return row[min(len(seen.runs), len(row)) - 1]


def sent(seen: Observation, shop: str) -> str:
    """The same as a part of a sentence."""
    reply = first_answer(seen, shop)
    if reply.hang_up:
        return "hung up without a word"
    if reply.status == 200:
        return f"answered 200 with {reply.body[:60]!r}" if reply.body else "sent an empty page"
    wait = f" and `Retry-After: {reply.headers['Retry-After']}`" if reply.headers else ""
    return f"answered {reply.status}{wait}"


def in_trouble(seen: Observation) -> list[tuple[str, str, TaskView]]:
    """Each shop that is in trouble on the last night, its kind and what became of its task."""
    return [
        (shop, kind, written(seen.runs[-1], shop)) for shop, kind in troubles(seen.scenario).items()
    ]


def swallowed(seen: Observation, shop: str) -> bool:
    """Whether a shop's first answer was an error, and its task ended well with that."""
    answer = first_answer(seen, shop)
    fine = answer.status == 404 or bool(numbers(answer))
    first = fetched(seen.runs[-1], shop).tries[:1]
    ended_well = [t.state for t in first] in (["success"], ["skipped"])
    calls = [r for r in seen.transcript.requests if r.path.startswith(f"/orders/{shop}")]
    return not fine and ended_well and len(calls) <= len(seen.runs)


def failing(seen: Observation, *kinds: str) -> list[tuple[str, str, TaskView]]:
    """Of the shops in trouble, those of these kinds whose error has left the task."""
    wanted = kinds or tuple(ERRORS)
    found = [one for one in in_trouble(seen) if one[1] in wanted and not swallowed(seen, one[0])]
    if not found and any(kind in wanted for kind in troubles(seen.scenario).values()):
        raise NotChecked("not checked because section 1 comes first: the error is swallowed")
    return found


def tried(task: TaskView) -> str:
    """How often it was tried and what it raised last, for a sentence."""
    raised = f"{task.error.type}: {task.error.message}" if task.error else ""
    error = f"; the last try raised {raised[:120]}" if raised else ""
    return f"was tried {times(len(task.tries))}{error}"


def delay_must_be_a_timedelta(task: TaskView) -> None:
    """Airflow adds the delay of a decision to a time, and fails the task if it cannot."""
    expect(
        not (task.error and "'total_seconds'" in task.error.message),
        happened="The policy answered with a `delay` that is no `timedelta`. Airflow could not add "
        f"it to the time: {task.error.message if task.error else ''}",
        expected="A `timedelta(seconds=...)`.",
    )


def broken(task: TaskView, what: str) -> str:
    """What the log says of something that broke after `what`. Airflow goes on as if nothing had
    happened.
    """
    for one in task.tries:
        _, found, after = one.output.partition(what)
        if found and (raised := RAISED.findall(LOGGED.split(after)[0])):
            return "{}: {}".format(*raised[-1])
    return ""


def policy_must_not_break(task: TaskView) -> None:
    """A policy that raises decides nothing: Airflow falls back to `retries`."""
    said = broken(task, "Retry policy evaluation failed")
    if "NotImplementedError" in said:
        wanted = "TODO 2 is open. Replace the `raise` line, save, and grade again."
    elif "'self'" in said:
        wanted = "An object of the class, with parentheses: a class alone cannot be asked."
    else:
        wanted = "`evaluate` comes to its end and returns a `RetryDecision`, for each exception."
    expect(
        not said,
        happened=f"The policy itself raised {said}. Airflow wrote that into the log, and went on "
        "as if there were none.",
        expected=wanted,
    )


def why_not_told(seen: Observation, task: TaskView) -> str:
    """What is known about an alert that did not come, as a sentence."""
    if said := broken(task, "Failed to run task callback"):
        return f" The callback itself raised {said}"
    if other := [alert.who for alert in told(seen) if not alert.shop]:
        return f" There was one whose `who` is {other[-1]!r}."
    if "on_failure_callback" in task.facts.callbacks:
        return " The task has a callback for failures, and it sent nothing."
    if "on_failure_callback" in seen.dag.data.callbacks:
        return " The callback stands on the DAG; the tasks have none."
    return " The task has no callback for failures."


def how_to_tell(seen: Observation, task: TaskView) -> str:
    """What to do about an alert that did not come."""
    said = broken(task, "Failed to run task callback")
    if "NotImplementedError" in said:
        return "TODO 3 is open. Replace the `raise` line, save, and grade again."
    if said:
        return "What a callback raises stands in the log of the task and nowhere else."
    if any(not alert.shop for alert in told(seen)):
        return "`who_failed` says which shop it was; three shops share one task."
    return (
        "`on_failure_callback` belongs to every task, so it is a key of `default_args`, and its "
        "value is the function without parentheses."
    )


@dataclass(frozen=True)
class Alert:
    """What was posted to the person on call."""

    who: str
    error: str
    advice: str
    body: str

    @property
    def shop(self) -> str:
        """The shop that it is about, if it says so."""
        return next((shop for shop in SHOPS if shop in self.who), "")


def told(seen: Observation) -> list[Alert]:
    """All alerts, in their order."""
    found = []
    for request in seen.transcript.requests:
        if request.method != "POST" or not request.path.startswith("/alerts"):
            continue
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            continue
        if isinstance(body, dict):
            who, error, advice = (str(body.get(name, "")) for name in ("who", "error", "advice"))
            found.append(Alert(who, error, advice, request.body))
    return found


def alerts(seen: Observation, shop: str) -> list[Alert]:
    """The alerts about a shop."""
    return [alert for alert in told(seen) if alert.shop == shop]


def published(seen: Observation) -> set[tuple[str, str]] | None:
    """What `orders.jsonl` holds in the end, as (shop, number); None if there is no such file."""
    for file in seen.transcript.files:
        if file.path == PUBLISHED:
            return {order for line in (file.text or "").splitlines() if (order := read(line))}
    return None


def read(line: str) -> tuple[str, str] | None:
    """One order, or None if the line is something else."""
    try:
        order = json.loads(line)
        return str(order["shop"]), str(order["number"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def by_shop(orders: set[tuple[str, str]] | None) -> str:
    """`3 orders of harbour, 2 of mill`, for a sentence."""
    if orders is None:
        return "there is no such file"
    counts = {s: sum(shop == s for shop, _ in orders) for s in SHOPS}
    return ", ".join(f"{n} of {s}" for s, n in counts.items() if n) or "none at all"


def left_in_staging(seen: Observation) -> list[str]:
    """The files that are still in a staging folder at the end."""
    return [f.path for f in seen.transcript.files if "/staging/" in f"/{f.path}"]
