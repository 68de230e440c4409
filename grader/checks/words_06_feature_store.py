"""The words that the checks of part 06 share: runs for a day, and what the store has after each.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grader.checks.inputs_06_feature_store import (
    COUNTED,
    DATABASE,
    TRAINING,
    USAGE,
    Row,
    day_of,
    delivered,
    delivery_of,
    sums,
)
from grader.judge import NotChecked, NotPassed, Observation, Observe
from grader.judge.view import RunView, TaskView
from grader.scenario import PlannedRun, Scenario
from grader.transcript import AssetEvent, Error

PIPELINE, ASSET = "feature_pipeline", "churn_features"
EXTRACT, COMPUTE, STORE = "extract_usage", "compute_features", "store_features"
VALIDATE, BUILD = "validate_features", "build_training_set"
AGAIN, TORN = "a bad day is delivered again", "a row has lost its customer"
UNLIKE = "a day unlike the one before"
FIRST_THREE = "not checked because section 3 comes first: there are no features"


# --- for a sentence ---


def as_time(value: object) -> datetime | None:
    """A time that a submission wrote, in whatever form; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def shown(time: datetime) -> str:
    """A time, to the minute."""
    return f"{time:%Y-%m-%d %H:%M}"


def all_shown(times: Iterable[datetime | None], nothing: str = "none") -> str:
    """Times in their order, each once."""
    return ", ".join(map(shown, sorted({time for time in times if time}))) or nothing


def some(items: Iterable[str], most: int = 4) -> str:
    """The first few of many names."""
    found = sorted(items)
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest


def sentence(text: str) -> str:
    """With one full stop at its end."""
    return f"{text.rstrip('. ')}."


def in_words(numbers: tuple[object, ...] | None) -> str:
    """The numbers of one customer, with their names."""
    if numbers is None:
        return "no features"
    cells = ["nothing" if number in (None, "") else number for number in numbers]
    return ", ".join(f"{name} {cell}" for name, cell in zip(COUNTED, cells, strict=False))


def line_of(task: TaskView) -> int | None:
    """Where to look: the line that raised, unless that is in one of the finished functions."""
    own, raised = task.facts.line, task.error.line if task.error else None
    return raised if own and raised and raised > own else own


# --- what a run left ---


@dataclass(frozen=True)
class Features:
    """A row of the store."""

    customer: str
    event_time: datetime | None
    numbers: tuple[Any, ...]
    published: bool


def features_after(run: RunView) -> list[Features]:
    """All rows of the table `features` after a run; none if there is no such table."""
    table = run.data.databases[DATABASE].get("features")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows] if table else []
    return [
        Features(
            str(row.get("customer_id")),
            as_time(row.get("event_time")),
            tuple(row.get(name) for name in COUNTED),
            row.get("published") is True,
        )
        for row in rows
    ]


def told_by(event: AssetEvent) -> object:
    """The event time that an update carries along."""
    extra = event.extra.json_value
    return extra.get("event_time") if isinstance(extra, dict) else None


@dataclass(frozen=True)
class DayRun:
    """One run of the pipeline, for one day. `events` are the updates that it made itself."""

    given: Scenario
    planned: PlannedRun
    run: RunView
    events: list[AssetEvent]
    texts: Mapping[str, str | None]
    last_of_its_day: bool

    @property
    def about(self) -> str:
        """Which run it is, to begin a sentence with."""
        delivery = delivery_of(self.planned)
        named = f" with the delivery `{delivery}`" if delivery != USAGE else ""
        return f"In the run for {day_of(self.planned):%Y-%m-%d}{named},"

    @property
    def event_time(self) -> datetime:
        """When the features of the day were complete."""
        return self.planned.logical_date

    @property
    def mine(self) -> dict[str, Features]:
        """The rows of this day after the run, by customer."""
        return {r.customer: r for r in features_after(self.run) if r.event_time == self.event_time}

    @property
    def public(self) -> str:
        """How many of them are published."""
        count = sum(row.published for row in self.mine.values())
        return f"{count} of {len(self.mine)} rows are published"

    @property
    def well_told(self) -> bool:
        """Whether it updated something once, and said of which event time."""
        return [as_time(told_by(event)) for event in self.events] == [self.event_time]

    def task(self, task_id: str, todo: int) -> TaskView:
        """A task that is written and was reached; `NotChecked` if one before it failed."""
        task = self.run.task(task_id)
        if not task.ran:
            raise NotChecked(f"`{task_id}` was not reached: it was left as {task.state}.")
        task.must_be_done(todo)
        return task

    def succeeded(self, task_id: str, todo: int, expected: str) -> TaskView:
        """The same, and it ended well; else `NotPassed`."""
        task = self.task(task_id, todo)
        if task.state != "success":
            ending = sentence(f"{self.about} `{task_id}` {task.ending}")
            raise NotPassed(ending, expected, line=line_of(task))
        return task

    def kept(self, task: TaskView) -> list[Row]:
        """The rows of the CSV file whose path a task returned, without the header."""
        path = str(task.xcom())
        text = self.texts.get(below_heron(path))
        if text is None:
            raise NotPassed(
                f"{self.about} `{task.task_id}` returned {path[:200]!r}, and there is no such file "
                "of text.",
                "The path of the file that it wrote. The function that writes it returns it.",
                line=task.line,
            )
        return [tuple(row) for row in csv.reader(io.StringIO(text)) if row][1:]

    def features(self) -> dict[str, Row]:
        """What was computed, by customer; `NotChecked` if it is nothing."""
        found = {row[0]: row[1:] for row in self.kept(self.run.task(COMPUTE))}
        if not found:
            raise NotChecked(FIRST_THREE)
        return found


def below_heron(path: str) -> str:
    """A path without what differs from machine to machine."""
    return path.rpartition("heron/")[2]


def day_runs(observe: Observe, story: str) -> list[DayRun]:
    """The pipeline's runs, in their order.

    Runs for the same day have the same id, and what an earlier one updated is listed again.
    """
    seen = observe(story)
    runs = [run for run in seen.runs_of(PIPELINE) if run.data.cause == "planned"]
    texts = {below_heron(file.path): file.text for file in seen.transcript.files}
    plans = [planned for planned in seen.scenario.runs if planned.dag_id is None]
    dates = [planned.logical_date for planned in plans]
    known: dict[datetime, int] = {}
    found = []
    for number, (planned, run) in enumerate(zip(plans, runs, strict=False)):
        date, events = planned.logical_date, run.data.asset_events
        new = events[known.get(date, 0) :]
        known[date] = len(events)
        last = date not in dates[number + 1 :]
        found.append(DayRun(seen.scenario, planned, run, new, texts, last))
    return found


def every_run(observe: Observe) -> Iterator[DayRun]:
    """The runs of all stories, one after the other: a message names the story looked at last."""
    for story in (AGAIN, TORN, UNLIKE):
        yield from day_runs(observe, story)


def good_days(observe: Observe) -> Iterator[DayRun]:
    """Those for days whose delivery has nothing wrong with it, as they come for the first time."""
    first, _, third, *_ = day_runs(observe, AGAIN)
    yield from (first, third)
    yield day_runs(observe, UNLIKE)[0]


def failed_over_its_update(task: TaskView) -> bool:
    """Whether it failed over what the update carries: in TODO 6, or in Airflow when it was done."""
    error = task.error
    return task.state != "success" and error is not None and (error.todo == 6 or error.line is None)


def how_to_update(error: Error | None) -> str:
    """What to do about an error that has to do with `outlet_events`."""
    if error and "Key should be either an asset" in error.message:
        return (
            "`outlet_events` is asked with the asset itself, `outlet_events[CHURN_FEATURES]`, not "
            "with its name."
        )
    return (
        f"It comes to its end, and one update of `{ASSET}` carries a dict along: "
        "`outlet_events[CHURN_FEATURES].extra = {...}`."
    )


def average(run: DayRun) -> float:
    """Minutes per customer."""
    minutes = [row.numbers[0] for row in run.mine.values() if isinstance(row.numbers[0], int)]
    return sum(minutes) / len(minutes) if minutes else 0.0


def why_wrong(run: DayRun, customer: str, numbers: Row | None) -> str:
    """Which row of midnight makes wrong numbers, where that explains them."""
    rows = delivered(run.given, run.planned)
    start, end = day_of(run.planned), run.event_time
    first, last = start.isoformat(), end.isoformat()
    counted = {
        f" The row of {shown(end)} is counted too; it stands in the next file again.": [
            row for row in rows if first <= row[1] <= last
        ],
        f" The row of {shown(start)} is not counted.": [
            row for row in rows if first < row[1] < last
        ],
    }
    for why, chosen in counted.items():
        if numbers == tuple(map(str, sums(chosen).get(customer, ()))):
            return why
    return ""


# --- what was trained from it ---


def started(seen: Observation) -> list[RunView]:
    """All runs that an update started."""
    return [run for run in seen.runs_of(TRAINING) if run.data.cause == "asset"]


def trainings(observe: Observe) -> list[tuple[DayRun, RunView]]:
    """Each run that was started by an update which says of which day it is, and that update."""
    updates = [run for run in day_runs(observe, AGAIN) for _ in run.events]
    pairs = zip(updates, started(observe(AGAIN)), strict=False)
    found = [(update, run) for update, run in pairs if update.well_told]
    if not found:
        raise NotChecked("not checked because section 6 comes first")
    return found


def training_by_hand(observe: Observe) -> TaskView:
    """The task of the training that a person has started."""
    runs = observe(AGAIN).runs_of(TRAINING)
    return next(run for run in runs if run.data.cause == "planned").task(BUILD)


def how_to_train(error: Error | None) -> str:
    """What to do about an error of the task that trains."""
    if error and "AssetEvent" in error.message and error.type in ("TypeError", "AttributeError"):
        return "An update has what it carries as an attribute: `update.extra`, which is a dict."
    return "It writes the table `training_set`, and says how many rows it has and what started it."


def training_rows(run: RunView) -> list[tuple[str, datetime, datetime]]:
    """Customer, time of the label and time of the features, of all rows that have features."""
    task = run.task(BUILD)
    task.must_be_done(7)
    # An error in the learner's own lines may come after the table was written.
    written = task.error and task.error.todo == 7 and "training_set" in run.data.databases[DATABASE]
    if task.state != "success" and not written:
        ending = sentence(f"`{BUILD}` {task.ending}")
        raise NotPassed(ending, how_to_train(task.error), line=line_of(task))
    found = []
    for row in run.rows(DATABASE, "training_set"):
        labelled, known = as_time(row.get("labelled_at")), as_time(row.get("event_time"))
        if labelled and known:
            found.append((str(row.get("customer_id")), labelled, known))
    return found


def published_times(run: RunView) -> dict[str, list[datetime]]:
    """The event times of all published features after a run, by customer."""
    found: dict[str, list[datetime]] = {}
    for row in features_after(run):
        if row.published and row.event_time:
            found.setdefault(row.customer, []).append(row.event_time)
    return found
