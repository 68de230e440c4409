"""One warm grader that works in a thread, and that can be stopped in the middle of its work."""

from __future__ import annotations

import asyncio
import contextlib

import psutil

from grader.api import Grader, Silent
from grader.cli import EXERCISES
from grader.course import Part
from grader.judge.record import Record
from grader.observe.observer import Listener
from grader.report import Progress


class Stopped(Exception):
    """Whoever waited for the marks has left."""


class Relay:
    """A listener that passes on what it hears to whoever wants it now.

    Every way on in a grading leads past a listener, so this is where one is stopped.
    """

    def __init__(self) -> None:
        self.to: Listener = Silent()
        self.stopped = False

    def stage(self, text: str) -> None:
        self._go_on().stage(text)

    def expect(self, count: int) -> None:
        self._go_on().expect(count)

    def started(self, part: str, scenario: str) -> None:
        self._go_on().started(part, scenario)

    def finished(self, part: str, scenario: str, seconds: float, cached: bool) -> None:
        self._go_on().finished(part, scenario, seconds, cached)

    def _go_on(self) -> Listener:
        if self.stopped:
            raise Stopped
        return self.to


class WarmGrader:
    """Grades the course's own exercises, one part at a time, with a worker that stays."""

    def __init__(self, grader: Grader, relay: Relay):
        """`relay` is the grader's listener; whoever made the grader ends it."""
        self._grader, self._relay = grader, relay

    async def grade(self, part: Part, progress: Progress) -> Record:
        """Mark a part. Raises `Stopped`, `EnvironmentProblem` and what a grader raises."""
        self._relay.to = progress
        return await asyncio.to_thread(self._grader.grade, EXERCISES, [part.slug])

    @property
    def warm(self) -> bool:
        """Whether the worker has loaded Airflow. It has not while all came from the cache."""
        return self._grader.warm

    async def warm_up(self, progress: Progress) -> None:
        """Have the worker load Airflow, so that the next grading need not. Raises as `grade`."""
        self._relay.to = progress
        await asyncio.to_thread(self._grader.warm_up)

    def stop(self) -> None:
        """Have the thread end within moments: what it waits for is killed."""
        self._relay.stopped = True
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
