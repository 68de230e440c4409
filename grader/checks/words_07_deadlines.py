"""The words that the checks of part 07 share: deadlines, what their callbacks raised, and mails.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from grader.checks.inputs_07_deadlines import PAGE, promised
from grader.judge import NotChecked, NotPassed, Observation, Observe, expect
from grader.judge.view import moment
from grader.transcript import Deadline, Error

ON_CALL, TEAM = "alerts@example.com", "churn-team@example.com"
TAG = re.compile(r"<[^<>]{0,200}>")
LENGTH = re.compile(r"(?:(-?\d{1,6}) days?, )?(-?\d{1,9}):(\d\d):(\d\d)")
NEAR = timedelta(seconds=60)
QUEUED = "DagRunQueuedAtDeadline"
NO_NAME = "look like a valid dot path"
LEVEL = 'It needs a level: `SyncCallback(report_late, kwargs={"level": "page"})`.'
NOBODY_SEES = "What a callback raises is written into its own log, and no task turns red."


# --- deadlines ---


def clock(when: datetime, seen: Observation | None = None) -> str:
    """`06:00`, with the date in front if it is not that of the night which was seen."""
    if seen is None or when.date() == promised(seen.scenario, timedelta()).date():
        return f"{when:%H:%M}"
    return f"{when:%Y-%m-%d %H:%M}"


def night(observe: Observe, story: str, *, first: bool = False) -> Observation:
    """A scenario. Airflow makes no run if it could not find a callback again; who is `first` tells
    of that, and others are not checked.
    """
    try:
        return observe(story)
    except NotPassed as stopped:
        if NO_NAME not in stopped.happened:
            raise
        if not first:
            raise NotChecked("not checked because section 1 comes first") from None
        raise NotPassed(
            stopped.happened,
            "`SyncCallback` gets a function of the file itself, `report_late`. A `lambda`, or a "
            "function inside another one, has no name by which Airflow could find it again.",
        ) from None


def due_times(seen: Observation) -> str:
    """The deadlines that a run had, for a sentence."""
    dues = [moment(deadline.due) for deadline in seen.run.data.deadlines]
    shown = [clock(due, seen) for due in sorted(dues)]
    if shown:
        return f"Its deadlines were: {', '.join(shown)}."
    declared = len(seen.dag.data.deadlines)
    if declared:
        return f"The DAG declares {declared}, but for this run Airflow could not work one out."
    return "It had no deadline."


def deadline_at(seen: Observation, after: timedelta) -> Deadline | None:
    """The deadline of the run that lies so long after 02:00, if there is one."""
    wanted = promised(seen.scenario, after)
    for deadline in seen.run.data.deadlines:
        if abs(moment(deadline.due) - wanted) < NEAR:
            return deadline
    return None


def deadline_of_six(seen: Observation) -> Deadline:
    """The deadline that the checks of later sections build on, or `NotChecked`."""
    found = deadline_at(seen, PAGE)
    if found is None:
        raise NotChecked("not checked because section 1 comes first")
    return found


def must_be_due(seen: Observation, after: timedelta, wanted: str) -> None:
    """The run began late, and has a deadline so long after 02:00 all the same."""
    began = moment(seen.run.data.start)
    happened = f"The run of 02:00 began at {clock(began, seen)}."
    late = [
        one
        for one in seen.dag.data.deadlines
        if one.reference == QUEUED and one.interval == after.total_seconds()
    ]
    if late:
        happened += (
            f" A deadline counts from DAGRUN_QUEUED_AT, when Airflow got round to making the run; "
            f"so it was due at {clock(began + after, seen)}."
        )
    expect(
        not late and deadline_at(seen, after) is not None,
        happened=happened if late else f"{happened} {due_times(seen)}",
        expected=wanted,
        at=seen.dag,
    )


def what_is_counted_from(seen: Observation) -> str:
    """A word on references that do not fit, where one is used."""
    references = {deadline.reference for deadline in seen.dag.data.deadlines}
    if "AverageRuntimeDeadline" in references:
        return " AVERAGE_RUNTIME needs past runs, and it moves when the nights get slower."
    if "FixedDatetimeDeadline" in references:
        return " FIXED_DATETIME is the same moment for each run."
    return ""


# --- callbacks ---


def callback_must_not_raise(seen: Observation, deadline: Deadline) -> None:
    """Airflow notes what a callback raises in a log, and goes on as if nothing had happened."""
    error = deadline.error
    if error is None:
        return
    expect(
        False,
        happened=f"The run missed its deadline of {clock(moment(deadline.due))}, Airflow called "
        f"the callback, and it raised {error.type}: {error.message}",
        expected=f"{advice(error)} {NOBODY_SEES}",
        at=error,
    )


def level_must_be_handed_over(seen: Observation, deadline: Deadline) -> None:
    """A callback that is called without the level fails before its first line."""
    error = deadline.error
    if error and error.line is None:
        expect(
            not lacks_level(error),
            happened=f"Airflow called the callback, and it raised {error.type}: {error.message}.",
            expected=LEVEL,
            at=seen.dag,
        )


def lacks_level(error: Error) -> bool:
    """Whether it was called without its level."""
    return "missing" in error.message and "'level'" in error.message


def advice(error: Error) -> str:
    """What to do about an error of a callback."""
    text = error.message
    if error.type == "NotImplementedError":
        number = f"TODO {error.todo}" if error.todo else "A TODO"
        return f"{number} is open. Replace the `raise` line, save, and grade again."
    if error.type == "ModuleNotFoundError":
        return (
            "An `AsyncCallback` is called by the triggerer, which does not know your DAG file. A "
            "function in a DAG file is called with `SyncCallback`."
        )
    if error.type == "KeyError" and text.strip("'") in ("ti", "task_instance", "task", "exception"):
        return (
            "The context of a deadline has two entries: `dag_run` and `deadline`. A deadline is "
            "about a run, so there is no task in it."
        )
    if error.type == "KeyError" and text.strip("'") == "run_id":
        return "The run is a dict as the REST API shows it: its id is under 'dag_run_id'."
    if error.type == "AttributeError" and "'dict'" in text:
        return "`dag_run` is a dict as the REST API shows it: `run['dag_id']`, not `run.dag_id`."
    if error.type == "AttributeError" and "has no attribute" in text and "module" in text:
        return "Airflow finds the callback by its name, so it is a function of the file itself."
    if lacks_level(error):
        return LEVEL
    if "missing" in text or "unexpected keyword" in text or "multiple values" in text:
        return "Airflow calls it with your `kwargs`, and with one more argument by name: `context`."
    if "fromisoformat: argument must be str" in text:
        return "A run that has not begun has no `start_date`, and one that goes on no `end_date`."
    if "offset-naive" in text:
        return "Only times that both have a zone can be subtracted: `datetime.now(UTC)` has one."
    if error.type == "KeyError" and "RECIPIENTS" in (error.text or ""):
        return 'A level is "warn" or "page".'
    return "The callback comes to its end. If there is nothing to do, `return` is enough."


# --- mails ---


class Told:
    """A mail about a run that is late: the lines of its facts."""

    def __init__(self, subject: str, body: str) -> None:
        self.subject = subject
        text = html.unescape(TAG.sub("\n", body[:10_000]))
        pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
        self.facts = {key.strip(): value.strip() for key, _, value in pairs}

    def fact(self, key: str, what: str = "") -> str:
        """One of its lines, or `NotPassed`, where `what` can say what belongs into it."""
        there = ", ".join(f"`{name}`" for name in self.facts if name != "sent_at") or "none"
        expect(
            key in self.facts,
            happened=f"The mail has no line `{key}`. Its lines: {there}.",
            expected=f"The dict that is handed to `send` has the key `{key}`{what}.",
        )
        return self.facts[key]

    def time(self, key: str) -> datetime | None:
        """One of its lines as a time with a zone, if it is one."""
        try:
            found = datetime.fromisoformat(self.facts.get(key, ""))
        except ValueError:
            return None
        return found if found.tzinfo else None


def told(seen: Observation, address: str) -> list[Told]:
    """The mails about a late run that came to an address. Those about a failed task are others."""
    return [
        Told(mail.subject, mail.body)
        for mail in seen.transcript.mails
        if address in mail.recipients and not mail.subject.startswith("failed:")
    ]


def pages(observe: Observe) -> Iterator[tuple[Observation, Told]]:
    """The mails to the person on call, one after the other, from the nights that have some.

    A message names the scenario that was looked at last.
    """
    for story in ("the training takes all night", "a night that is made up for"):
        seen = observe(story)
        for mail in told(seen, ON_CALL):
            yield seen, mail


def seconds(text: str) -> float | None:
    """A length as it was written: `75`, `75.2` or `0:01:15`."""
    if found := LENGTH.fullmatch(text.partition(".")[0]):
        days, hours, minutes, rest = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    try:
        return float(text.removesuffix("s"))
    except ValueError:
        return None


def mails(seen: Observation) -> str:
    """How many mails about a late run came to whom, for a sentence."""
    return (
        f"Mails to `{TEAM}`: {len(told(seen, TEAM))}, to `{ON_CALL}`: {len(told(seen, ON_CALL))}."
    )
