"""When tasks would start on a real scheduler, worked out from what their DAGs declare.

`DAG.test` runs one task after the other and looks at no pool and no limit, so this follows what the
scheduler of Airflow 3.3.2 does (`_executable_task_instances_to_queued`): of the tasks that wait, it
looks at the one with the highest weight first, then at that of the oldest run, then at the lowest
map index. One that does not fit lets the others pass. It must not judge.

Left out: failures and retries (every task succeeds), trigger rules, deferral, the executor's own
slots, the second that the scheduler takes, and which of equals comes first. Airflow leaves that to
the database; here it is the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """One task instance: how many hours it takes, what it waits for, what limits it."""

    task_id: str
    hours: float
    upstream: frozenset[str] = frozenset()
    map_index: int = -1
    pool: str = "default_pool"
    slots: int = 1
    weight: int = 1
    most_per_dag: int | None = None
    most_per_run: int | None = None


@dataclass(frozen=True)
class Load:
    """One DAG run, which is due at an hour of your choice, and the limits of its DAG."""

    dag_id: str
    due: float
    work: tuple[Work, ...]
    most_runs: int = 16
    most_tasks: int = 16


@dataclass(frozen=True)
class Span:
    """From when to when a task instance ran, in the hours of `Load.due`."""

    load: Load
    work: Work
    start: float
    end: float

    def is_of(self, load: Load, task_id: str) -> bool:
        """Whether it is this task, in this run."""
        return self.load is load and self.work.task_id == task_id


def timetable(loads: list[Load], pools: Mapping[str, int]) -> list[Span]:
    """What ran when, in the order of the starts. What could never start is not in it."""
    spans: list[Span] = []
    moments = {load.due for load in loads}
    while moments:
        now = min(moments)
        while started := _start_what_fits(loads, pools, spans, now):
            spans += started
        ends = {span.end for span in spans}
        moments = {moment for moment in moments | ends if moment > now}
    return spans


def most(
    spans: list[Span], amount: Callable[[Span], int] = lambda span: 1
) -> tuple[int, list[Span]]:
    """The most that ran at a time, each counted with its `amount`, and the spans of that moment."""
    best: tuple[int, list[Span]] = (0, [])
    for now in sorted({span.start for span in spans}):
        together = _running(spans, now)
        total = sum(map(amount, together))
        if total > best[0]:
            best = total, together
    return best


def _running(spans: list[Span], now: float) -> list[Span]:
    return [span for span in spans if span.start <= now < span.end]


def _start_what_fits(
    loads: list[Load], pools: Mapping[str, int], spans: list[Span], now: float
) -> list[Span]:
    """One look of the scheduler at all that waits."""
    started: list[Span] = []
    for load, work in _waiting(loads, spans, now):
        if _fits(load, work, pools, _running(spans, now) + started):
            started.append(Span(load, work, now, now + work.hours))
    return started


def _waiting(loads: list[Load], spans: list[Span], now: float) -> list[tuple[Load, Work]]:
    """The task instances whose time has come, in the order in which they are looked at."""
    known = {(span.load, span.work) for span in spans}
    found = [
        (load, work)
        for load in _active(loads, spans, now)
        for work in load.work
        if (load, work) not in known and all(_done(load, t, spans, now) for t in work.upstream)
    ]
    return sorted(found, key=lambda one: (-one[1].weight, one[0].due, one[1].map_index))


def _active(loads: list[Load], spans: list[Span], now: float) -> Iterator[Load]:
    """The runs that are due and not over, as many of a DAG as it allows, the oldest first."""
    count: dict[str, int] = {}
    for load in sorted(loads, key=lambda load: load.due):
        over = all(_done(load, work.task_id, spans, now) for work in load.work)
        if load.due <= now and not over and count.get(load.dag_id, 0) < load.most_runs:
            count[load.dag_id] = count.get(load.dag_id, 0) + 1
            yield load


def _done(load: Load, task_id: str, spans: list[Span], now: float) -> bool:
    """Whether all instances of a task have ended."""
    ended = sum(span.is_of(load, task_id) and span.end <= now for span in spans)
    return ended == sum(work.task_id == task_id for work in load.work)


def _fits(load: Load, work: Work, pools: Mapping[str, int], running: list[Span]) -> bool:
    """Whether its pool has the slots, and no limit of its DAG or of its own is reached."""
    taken = sum(span.work.slots for span in running if span.work.pool == work.pool)
    same_run = [span for span in running if span.load is load]
    same_task = [
        span.load
        for span in running
        if (span.load.dag_id, span.work.task_id) == (load.dag_id, work.task_id)
    ]
    return (
        taken + work.slots <= pools.get(work.pool, 0)
        and len(same_run) < load.most_tasks
        and (work.most_per_dag is None or len(same_task) < work.most_per_dag)
        and (work.most_per_run is None or same_task.count(load) < work.most_per_run)
    )
