"""Small DAG files, written by the tests that observe them, and what became of each.

It drives `grader.observe` alone: nothing here knows a check, a mark or a part of the course.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from grader.course import Part, Task
from grader.judge.view import moment
from grader.observe.observer import Observer
from grader.scenario import Limits, PlannedRun, Scenario
from grader.transcript import Run, TaskFacts, TaskInstance, Transcript, Try

DAY = datetime(2024, 3, 5, 12, tzinfo=UTC)
HEADER = """\
from datetime import UTC, datetime, timedelta
import os, sys, time
from airflow.sdk import dag, task, task_group

"""


def source(body: str, settings: str = "schedule=None", *, before: str = "") -> str:
    """A DAG file: `body` stands inside the function that `@dag` decorates."""
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    head = HEADER + textwrap.dedent(before)
    return f'{head}\n@dag(dag_id="probe", {settings})\ndef probe():\n{body}\n\n\nprobe()\n'


def loaded(name: str = "load", now: datetime = DAY) -> Scenario:
    """A scenario that ends when the file is loaded."""
    return Scenario(name=name, now=now)


def ran(name: str = "run", *days: datetime, conf: dict[str, Any] | None = None, **more: Any):
    """A scenario with a run on each day."""
    runs = tuple(PlannedRun(logical_date=d, conf=conf or {}) for d in days or (DAY,))
    return Scenario(name=name, runs=runs, **more)


@dataclass(frozen=True)
class Probe:
    """A DAG file, the scenarios it goes through, the limits it has."""

    text: str
    scenarios: tuple[Scenario, ...] = field(default_factory=lambda: (ran(),))
    limits: Limits = field(default_factory=lambda: Limits(seconds=120))
    several_dags: bool = False

    def line(self, marker: str) -> int:
        """The number of the only line that holds `marker`."""
        (number,) = (n for n, t in enumerate(self.text.splitlines(), start=1) if marker in t)
        return number


def part_of(name: str, limits: Limits = Limits(), *, several_dags: bool = False) -> Part:  # noqa: B008
    """A part of a course that consists of one probe."""
    return Part(
        slug=f"90_{name}",
        title=name,
        minutes=1,
        dag_id="probe",
        dag_file="probe.py",
        several_dags=several_dags,
        task=(Task(title="Probe", points=1),),
        limits=limits,
    )


def write(submission: Path, name: str, text: str) -> None:
    """Hand a probe in."""
    place = submission / f"90_{name}" / "probe.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.ended: list[tuple[str, str, bool]] = []

    def stage(self, text: str) -> None: ...
    def expect(self, count: int) -> None: ...

    def started(self, part: str, scenario: str) -> None:
        self.begun.append((part, scenario))

    def finished(self, part: str, scenario: str, seconds: float, cached: bool) -> None:
        self.ended.append((part, scenario, cached))


class Seen:
    """The transcripts of a batch of probes."""

    def __init__(self, found: dict[tuple[str, str], Transcript]):
        self._found = found

    def __call__(self, probe: str, scenario: str | None = None) -> Transcript:
        """The transcript of a probe; `scenario` may be left out where there is only one."""
        names = [s for slug, s in self._found if slug == f"90_{probe}"]
        if scenario is None:
            (scenario,) = names
        return self._found[f"90_{probe}", scenario]

    def run(self, probe: str, scenario: str | None = None) -> Run:
        """The only run of a scenario. It must have come to its end."""
        transcript = self(probe, scenario)
        assert transcript.breach is None, transcript.breach
        assert transcript.import_error is None, transcript.import_error
        (run,) = transcript.runs
        assert run.error is None, run.error
        return run

    def tries(self, probe: str, task_id: str, map_index: int = -1) -> list[Try]:
        """All tries of a task in the only run of the only scenario."""
        return tries_of(self.run(probe), task_id, map_index)

    def only_try(self, probe: str, task_id: str, map_index: int = -1) -> Try:
        """The one try that was made of a task."""
        (only,) = self.tries(probe, task_id, map_index)
        return only


def observe_all(observer: Observer, submission: Path, probes: dict[str, Probe]) -> Seen:
    """Take all probes through their scenarios in one go."""
    for name, probe in probes.items():
        write(submission, name, probe.text)
    wanted = [
        (part_of(name, p.limits, several_dags=p.several_dags), p.scenarios)
        for name, p in probes.items()
    ]
    return Seen(observer.observe(submission, wanted))


def tries_of(run: Run, task_id: str, map_index: int = -1) -> list[Try]:
    """The tries of a task instance, in the order in which they were made."""
    return [t for t in run.tries if (t.task_id, t.map_index) == (task_id, map_index)]


def states(run: Run) -> dict[str, str]:
    """The final state of each task instance that is not mapped."""
    return {i.task_id: i.state for i in run.instances if i.map_index < 0}


def instances(run: Run, task_id: str) -> list[TaskInstance]:
    """The instances of a task by their map index."""
    return sorted(
        (i for i in run.instances if i.task_id == task_id), key=lambda found: found.map_index
    )


def facts(transcript: Transcript, task_id: str) -> TaskFacts:
    """What Airflow says about a task before any run."""
    assert transcript.dag is not None
    (found,) = (t for t in transcript.dag.tasks if t.task_id == task_id)
    return found


def length(attempt: Try) -> timedelta:
    """Virtual time from the start of a try to its end."""
    assert attempt.end is not None
    return moment(attempt.end) - moment(attempt.start)


def gaps(tries: list[Try]) -> Iterator[timedelta]:
    """Virtual time between one try and the next."""
    for before, after in pairwise(tries):
        assert before.end is not None
        yield moment(after.start) - moment(before.end)


def about(found: timedelta, **wanted: float) -> bool:
    """As long as wanted, up to the real seconds that a busy machine takes before and after."""
    return timedelta(seconds=-5) < found - timedelta(**wanted) < timedelta(seconds=20)
