"""The words that the checks of part 09 share: what was fetched, and what the ledger says.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from datetime import datetime

from grader.checks.inputs_09_idempotency import (
    A_DAY,
    LEDGER,
    STAND,
    day_named,
    delivered,
    last_start,
    revenue,
)
from grader.judge import NotChecked, NotPassed, Observation, Observe, expect
from grader.judge.view import RunView, moment
from grader.scenario import PlannedRun

FETCH, BOOK = "fetch_sales", "book_day"
SALE = re.compile(r"\bT\d{4,12}\b")
Rows = dict[str, int]
LEAVE_THE_ERROR = (
    "Let `OperationalError` leave the task: a minute later there is a retry, and by then the lock "
    "is gone."
)


def when(run: PlannedRun) -> str:
    """A run's own date, for a sentence."""
    return f"{run.logical_date:%Y-%m-%d %H:%M}"


def listed(times: list[datetime]) -> str:
    """Run times, for a sentence."""
    return ", ".join(f"{at:%Y-%m-%d %H:%M}" for at in times) or "none"


def span(run: PlannedRun) -> str:
    """The business day of a run, for a sentence."""
    start = last_start(run)
    return f"from {start:%Y-%m-%d} 04:00 to the next day 04:00"


def shown(rows: Rows) -> str:
    """What the ledger has for a day, for a sentence."""
    if not rows:
        return "nothing"
    each = ", ".join(f"{shop} {cents}" for shop, cents in sorted(rows.items())[:12])
    return f"{each}; {sum(rows.values())} cents in all"


# --- what was fetched ---


def fetched(run: RunView) -> tuple[str, str]:
    """The day and the path that a run's `fetch_sales` returned."""
    task = run.task(FETCH)
    task.must_be_done(2)
    expect(
        task.state == "success" or any(t.state == "success" for t in task.tries),
        happened=f"`{FETCH}` {task.ending if task.ran else 'was never started.'}",
        expected=how_to_return(task.error.message if task.error else ""),
        at=task if task.error and task.error.todo == 2 else task.facts,
    )
    returned = task.tries[-1].xcoms.get("return_value")
    value = returned.json_value if returned and isinstance(returned.json_value, dict) else {}
    day, path = value.get("day"), value.get("path")
    expect(
        isinstance(day, str) and isinstance(path, str),
        happened=f"`{FETCH}` returned {returned.repr if returned else 'nothing'}.",
        expected=how_to_return(""),
        at=task,
    )
    return str(day), str(path)


def how_to_return(raised: str) -> str:
    """What `fetch_sales` should do, after the error that it raised."""
    if "NoneType" in raised:
        return (
            "Airflow fills in a parameter whose name it knows: `data_interval_start` and "
            "`data_interval_end`, letter by letter. Others stay None."
        )
    if "serialize" in raised:
        return "What a task returns is plain: the path goes in as a text, `str(path)`."
    return 'It succeeds, and returns a dict with two texts: "day" and "path".'


def file_at(seen: Observation, path: str) -> str | None:
    """The text of a file that a run left; None if it is gone."""
    for file in seen.transcript.files:
        if path == file.path or path.endswith(f"/{file.path}"):
            return file.text
    return None


def sales_in(text: str) -> set[str]:
    """The sales in a file, by their numbers."""
    return set(SALE.findall(text))


def name_of(path: str) -> str:
    """The name of a file without its folders."""
    return path.rpartition("/")[2]


def placed(run: RunView, planned: PlannedRun) -> str:
    """When a run took place, as a sentence."""
    now = moment(run.data.start)
    if abs((now - planned.logical_date).total_seconds()) < 60:
        return f"A run took place at its date, {when(planned)}. "
    return f"A run with the date {when(planned)} took place on {now:%Y-%m-%d %H:%M}. "


def must_name_its_day(seen: Observation, index: int) -> None:
    """A run's `fetch_sales` has found its day."""
    run, planned = seen.runs[index], seen.scenario.runs[index]
    day, right = fetched(run)[0], day_named(planned)
    clock = moment(run.data.start) - planned.logical_date
    late = " The clock only says when a task is executed." if clock.days else ""
    if day == f"{planned.logical_date:%Y-%m-%d}" == f"{last_start(planned) + A_DAY:%Y-%m-%d}":
        late = (
            f' "{day}" is the day on which the interval ends, and that of the logical date. The '
            "grader starts its runs by hand, and then the logical date is whatever a person gave."
        )
    expect(
        day == right,
        happened=f'{placed(run, planned)}`{FETCH}` returned "{day}" as its day.',
        expected=f'"{right}". The last day that is over at the run\'s date goes {span(planned)}. '
        "That is the run's data interval, and the day has its name from the interval's "
        f"start.{late}",
        at=run.task(FETCH),
    )


def must_have_fetched(seen: Observation, index: int) -> None:
    """A run has found its day, and what it saved are the sales of that day."""
    must_name_its_day(seen, index)
    run, planned = seen.runs[index], seen.scenario.runs[index]
    path, text = fetched(run)[1], file_at(seen, fetched(run)[1])
    expect(
        text is not None or run.task(BOOK).state == "success",  # which may have cleared it away
        happened=f"`{FETCH}` returned a path to `{name_of(path)}`, and there is no such file.",
        expected="`save(sales, path)` writes it.",
        at=run.task(FETCH),
    )
    if text is None:
        return
    right, found = {s.sale_id for s in delivered(seen.scenario, planned)}, sales_in(text)
    expect(
        found == right,
        happened=f"{placed(run, planned)}`{FETCH}` saved {len(found)} sales: "
        f"{differing(found, right)}.",
        expected=f"The {len(right)} sales of the day {day_named(planned)}, {span(planned)}: those "
        "between the start and the end of the run's data interval.",
        at=run.task(FETCH),
    )


def differing(found: set[str], right: set[str]) -> str:
    """How two sets of sales differ, for a sentence."""
    missing, foreign = len(right - found), len(found - right)
    are = "sale of the day is" if missing == 1 else "sales of the day are"
    return f"{missing} {are} missing and {foreign} {'is' if foreign == 1 else 'are'} of other days"


# --- what the ledger says ---


def not_waiting(observe: Observe, story: str) -> Observation:
    """What became of runs that found the ledger locked; `NotPassed` if one waits for ever."""
    try:
        return observe(story)
    except NotPassed as problem:
        if not problem.happened.startswith(f"`{BOOK}` did not come back"):
            raise
        raise NotPassed(
            f"Another run was booking, and the ledger was locked. {problem.happened}",
            f"It does not wait. {LEAVE_THE_ERROR}",
            line=problem.line,
        ) from None


def booked(run: RunView, day: str) -> Rows:
    """What the ledger has for a day after a run; a shop with nothing is as good as none."""
    if LEDGER not in run.data.databases:
        raise NotChecked("The run did not come to its end, so nobody looked into the ledger.")
    rows: Rows = {}
    for row in run.rows(LEDGER, "revenue"):
        if row["day"] == day and isinstance(row["cents"], int | float):
            rows[str(row["shop"])] = rows.get(str(row["shop"]), 0) + int(row["cents"])
    return {shop: cents for shop, cents in rows.items() if cents}


def but_the_stand(rows: Rows) -> Rows:
    """Without the shop whose row goes away, where that is the business of another check."""
    return {shop: cents for shop, cents in rows.items() if shop != STAND}


def days_in(run: RunView) -> list[str]:
    """The days that the ledger has rows for after a run."""
    return sorted({str(row["day"]) for row in run.rows(LEDGER, "revenue")})


def must_have_booked(seen: Observation, index: int) -> None:
    """A run came to its end; an error on its way is told as it is."""
    run = seen.runs[index]
    task = run.task(BOOK)
    run.task(FETCH).must_have_succeeded()
    if task.error and task.error.todo in (4, 5):
        task.must_be_done(task.error.todo)
    task.must_have_succeeded()


def must_be_in_the_ledger(seen: Observation, index: int, story: str, advice: str) -> None:
    """After a run, the ledger has that run's day as it was known then, and as a whole."""
    run, planned = seen.runs[index], seen.scenario.runs[index]
    day, right = day_named(planned), revenue(seen.scenario, planned)
    found = booked(run, day)
    expect(
        found == right,
        happened=f"{story} The ledger has for {day}: {shown(found)}.",
        expected=f"{shown(right)}. {advice}",
        at=run.task(BOOK),
    )
