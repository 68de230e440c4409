"""Has sessions marked on all cores, each by a process of its own, and keeps each mark at once.

It must not judge, and it must not care whose files these are. A marker that dies is started again
with what is left; a part that ends two of them stays without a mark, and is tried anew next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from classroom.journal import Entry, Journal
from classroom.marker import ENVIRONMENT, Line, Order
from classroom.plan import Session, Unit
from classroom.scratch import lay_out_home, make_template, scratch_folder
from grader.api import HOME
from grader.course import ROOT
from grader.observe.observer import remove
from grader.observe.sandbox import Kind
from grader.observe.worker_client import EnvironmentProblem

LONGEST_LINE = 1 << 26
PATIENCE = 1800.0  # seconds for one part; its own limits end it long before
GOODBYE = 15.0
TRIES = 2


@dataclass(frozen=True)
class Settings:
    """How to mark: `jobs` sessions at the same time."""

    seed: int
    sandbox: Kind
    jobs: int


class Listener(Protocol):
    """Who wants to know how far it is."""

    def stage(self, text: str) -> None: ...
    def started(self, session: Session, unit: Unit) -> None: ...
    def marked(self, session: Session, unit: Unit, entry: Entry) -> None: ...
    def lost(self, session: Session, unit: Unit) -> None: ...


async def mark_sessions(
    sessions: Sequence[Session], settings: Settings, journal: Journal, listener: Listener
) -> None:
    """Mark them all. Raises `EnvironmentProblem`, `OSError` from the journal."""
    with scratch_folder(HOME / "class") as scratch:
        listener.stage("Loading Airflow")
        await asyncio.to_thread(make_template, scratch / "template")
        marking = Marking(scratch, settings, journal, listener)
        waiting = list(reversed(sessions))
        at_once = max(1, min(settings.jobs, len(sessions)))
        marking.scenarios_at_once = max(1, settings.jobs // at_once)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(marking.work_off(waiting))
        except* (EnvironmentProblem, OSError) as problems:
            raise problems.exceptions[0] from None


class Marking:
    """One marking of a class."""

    def __init__(self, scratch: Path, settings: Settings, journal: Journal, listener: Listener):
        self._scratch, self._settings = scratch, settings
        self._journal, self._listener = journal, listener
        self._numbers = 0
        self.scenarios_at_once = 1

    async def work_off(self, waiting: list[Session]) -> None:
        """Take sessions from the end of the list until there is none."""
        while waiting:
            await self._mark(waiting.pop())

    async def _mark(self, session: Session) -> None:
        deaths = 0
        while session.units:
            left = await self._mark_until_death(session)
            if len(left) == len(session.units):
                deaths += 1
            else:
                deaths = 1
            if left and deaths == TRIES:
                self._listener.lost(session, left[0])
                left, deaths = left[1:], 0
            session = replace(session, units=left)

    async def _mark_until_death(self, session: Session) -> tuple[Unit, ...]:
        """One marker. Returns the units that are left."""
        self._numbers += 1
        folder = self._scratch / str(self._numbers)
        home, submission = folder / "home", folder / "submission"
        lay_out_home(self._scratch / "template", home)
        for unit in session.units:
            lay_out_source(submission, unit)
        order = Order(
            submission=submission,
            home=home,
            parts=[unit.part.slug for unit in session.units],
            seed=self._settings.seed,
            sandbox=self._settings.sandbox,
            jobs=self.scenarios_at_once,
        )
        left = session.units
        try:
            self._listener.started(session, left[0])
            async with contextlib.aclosing(lines_of(order, folder / "marker.log")) as lines:
                async for line in lines:
                    unit = left[0]
                    entry = Entry(key=unit.key, seconds=line.seconds, result=line.result)
                    self._journal.add(entry)
                    self._listener.marked(session, unit, entry)
                    left = left[1:]
                    if left:
                        self._listener.started(session, left[0])
        finally:
            remove(folder)
        return left


def lay_out_source(submission: Path, unit: Unit) -> None:
    """Write a unit's file where the grader takes it from; none where there is none."""
    place = submission / unit.part.slug
    place.mkdir(parents=True, exist_ok=True)
    if unit.source is not None:
        (place / unit.part.dag_file).write_bytes(unit.source)


async def lines_of(order: Order, log: Path) -> AsyncGenerator[Line, None]:
    """What a marker says, until it has said all or is dead. Raises `EnvironmentProblem`."""
    with open(log, "wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "classroom.marker"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        for part in order.parts:
            try:
                said = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
                line = Line.model_validate_json(said)
            except (ValueError, TimeoutError):
                break
            if line.part != part:
                break
            yield line
    finally:
        code = await end(process)
    if code == ENVIRONMENT:
        words = log.read_text("utf-8", "replace").strip().splitlines()
        raise EnvironmentProblem(words[-1] if words else "the grader cannot run here")


async def end(process: asyncio.subprocess.Process) -> int:
    """Have a marker put its things away; one that does not is killed. Returns its exit code."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        return await asyncio.wait_for(process.wait(), GOODBYE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
