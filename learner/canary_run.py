"""Stages the canary, and tells its story in lines that are the same on every sound machine.

It must not observe anything itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from grader.course import Part, Task
from grader.judge.view import Observation, RunView, TaskView
from grader.scenario import PlannedRun, Scenario

SOURCE = Path(__file__).with_name("canary.py")
PART = Part(
    slug="00_canary",
    title="The canary",
    minutes=1,
    dag_id="canary",
    dag_file="canary.py",
    task=(Task(title="Sing", points=1),),
)
DAY = datetime(2024, 3, 5, 12, tzinfo=UTC)
SONG = Scenario(name="the canary sings", runs=(PlannedRun(logical_date=DAY),))
LOAD = Scenario(name="the canary is there", now=DAY)
STORY = (
    "tasks: listen, sing after listen",
    "next runs: 2024-03-05, 2024-03-06, 2024-03-07",
    "listen, try 1: up_for_retry, RuntimeError: not a sound",
    "listen, try 2, after 6:00:00: success, returned [1, 2, 3]",
    "sing, try 1: success, returned 6",
    "the run: success",
)


@contextmanager
def staged() -> Iterator[Path]:
    """A submission with nothing but the canary in it."""
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        place = Path(folder, PART.slug)
        place.mkdir()
        shutil.copyfile(SOURCE, place / PART.dag_file)
        yield Path(folder)


def story(observation: Observation) -> Iterator[str]:
    """What happened, line by line. Raises `NotPassed` where a task is not there at all."""
    dag, run = observation.dag, observation.run
    edges = [f"{b} after {a}" for a, b in sorted(dag.edges)]
    yield f"tasks: {', '.join([dag.task_ids[0], *edges])}"
    yield f"next runs: {', '.join(f'{moment:%Y-%m-%d}' for moment in dag.next_runs)}"
    for task_id in dag.task_ids:
        yield from _tries(run, run.task(task_id))
    yield f"the run: {run.state}"


def _tries(run: RunView, task: TaskView) -> Iterator[str]:
    gaps = ["", *(f", after {timedelta(seconds=round(g.total_seconds()))}" for g in task.gaps)]
    for one, gap in zip(task.tries, gaps, strict=True):
        what = [str(one.state)]
        if one.error:
            what.append(f"{one.error.type}: {one.error.message}")
        if "return_value" in one.xcoms:
            what.append(f"returned {one.xcoms['return_value'].json_value!r}")
        yield f"{task.task_id}, try {one.number}{gap}: {', '.join(what)}"
