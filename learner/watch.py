"""`make watch`: grades a part again each time it is saved, and listens to keys meanwhile.

It must not go on to another part by itself. Its normal end is being told to end, so `q` and Ctrl-C
both are exit code 0.
"""

from __future__ import annotations

import ast
import asyncio
import signal
from collections.abc import Awaitable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from grader.cli import EXERCISES, blamed, untouched
from grader.course import Course, Part
from grader.judge.problems import DOES_NOT_LOAD, import_problem
from grader.judge.record import Record
from grader.report import BestMarks, print_report
from grader.report.terminal import all_passed, first_open
from grader.transcript import Error
from learner.hints import give_hint, why_no_hint
from learner.keys import QUIT, key_presses
from learner.parts import Problem, dag_file
from learner.progress import print_progress
from learner.saves import saves
from learner.screen import KEYS, Screen
from learner.warm import WarmGrader

GONE_SECONDS = 1.0
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Result = TypeVar("Result")


class Watch:
    """One sitting. Events are handled one after the other; only leaving is always possible."""

    def __init__(self, course: Course, part: Part, grader: WarmGrader, *, poll: bool):
        self._course, self._part, self._grader, self._poll = course, part, grader, poll
        self._file = dag_file(part)
        self._screen = screen = Screen()
        self._best = BestMarks(screen.say)
        self._events: asyncio.Queue[str | Path] = asyncio.Queue()
        self._following: asyncio.Task[None] | None = None
        self._begun = self._leaving = self._saved = False
        self._graded = b""
        self._record: Record | None = None

    async def run(self) -> None:
        """Until somebody leaves. Raises what keeps the first grading from its end."""
        loop = asyncio.get_running_loop()
        for number in ENDS:
            loop.add_signal_handler(number, self._leave)
        try:
            with key_presses(self._press) if self._screen.live else nullcontext():
                await self._begin(self._part)
                while not self._leaving:
                    self._screen.show_keys()
                    await self._take(await self._events.get())
        finally:
            if self._following:
                self._following.cancel()
            self._screen.take_keys_away()

    def _press(self, key: str) -> None:
        if key == QUIT:
            self._leave()
        elif key in KEYS:
            self._events.put_nowait(key)

    def _leave(self) -> None:
        if not self._leaving:
            self._leaving = True
            self._grader.stop()
            self._events.put_nowait(QUIT)

    async def _take(self, event: str | Path) -> None:
        try:
            await self._handle(event)
        except Problem as problem:
            self._screen.say(str(problem), "yellow")
        except OSError as error:
            self._screen.say(blamed(error)[1], "yellow")

    async def _handle(self, event: str | Path) -> None:
        if isinstance(event, Path):
            self._saved = False
            if event == self._file:  # and not that of the part before
                await self._on_save()
        elif event == "n":
            await self._go_on()
        elif event == "r":
            await self._grade("Grading")
        elif event == "h":
            self._show_hint()
        elif event == "l":
            self._screen.fresh()
            print_progress(self._course, self._best.read(), self._screen.out)

    async def _begin(self, part: Part) -> None:
        """Watch another part. Raises `Problem` if its file is not there."""
        self._file, self._part, self._record = dag_file(part), part, None
        if self._following:
            self._following.cancel()
        self._following = asyncio.create_task(self._follow(self._file))
        await asyncio.sleep(0)  # it has seen the file before the grader does
        await self._grade(f"Grading part {part.number}")
        if not self._leaving and not self._grader.warm:
            with self._screen.work("Loading Airflow, so that the next time is quick") as progress:
                await self._guarded(self._grader.warm_up(progress))

    async def _follow(self, file: Path) -> None:
        async for _ in saves(file, poll=self._poll):
            if not self._saved:
                self._saved = True
                self._events.put_nowait(file)
                self._screen.whisper("Saved; this is graded next")

    async def _on_save(self) -> None:
        now = f"{datetime.now():%H:%M:%S}"
        text = await self._settled()
        if text is None:
            self._screen.say(f"{self._file.name} is gone. Grading goes on when it is back.")
        elif text == self._graded and self._record:
            self._screen.say(f"Saved at {now}. Nothing changed, so it is still {self._marks()}.")
            self._best.note(self._record)
        elif problem := syntax_problem(text):
            self._screen.say(f"Saved at {now}. {problem}", "red")
            self._screen.say(f"This is not graded yet; before, it was {self._marks()}.")
        else:
            await self._grade(f"Saved at {now}. Grading")

    async def _settled(self) -> bytes | None:
        """What is in the file, as soon as there is something; None if it stays away.

        Editors empty a file, or take it away, a moment before they write it.
        """
        until = asyncio.get_running_loop().time() + GONE_SECONDS
        while True:
            text = read(self._file)
            if text or asyncio.get_running_loop().time() > until:
                return text
            await asyncio.sleep(0.02)

    async def _grade(self, told: str) -> None:
        text = read(self._file) or b""  # what the grader reads may be newer, never older
        with self._screen.work(told) as progress:
            record = await self._guarded(self._grader.grade(self._part, progress))
        if record is not None:
            self._graded, self._record, self._begun = text, record, True
            self._show_report(record)

    async def _guarded(self, work: Awaitable[Result]) -> Result | None:
        """Wait for work of the grader. What breaks it is told; it ends a watch that only begins."""
        try:
            return await work
        except Exception as problem:
            if self._leaving:
                return None
            if not self._begun:
                raise
            self._screen.say(blamed(problem)[1], "yellow")
            return None

    def _show_report(self, record: Record) -> None:
        self._screen.fresh()
        fresh = untouched(record, EXERCISES, self._course)
        print_report(record, self._course, self._screen.out, untouched=fresh)
        self._best.note(record)
        if all_passed(record.parts[0]) and self._screen.live:
            coming = self._next_part()
            told = f"n goes on to part {coming.number}." if coming else "It is the last part."
            self._screen.say(f"Part {self._part.number} passes. {told}", "green")

    def _show_hint(self) -> None:
        if self._record is None:
            return
        result = self._record.parts[0]
        reason, check = why_no_hint(result, self._part), first_open(result)
        if reason or check is None:
            self._screen.say(reason or "")
        else:
            self._screen.take_keys_away()
            give_hint(self._part, check.task, self._best, self._screen.out, "press h again")

    async def _go_on(self) -> None:
        coming = self._next_part()
        if coming is None:
            self._screen.say(f"Part {self._part.number} is the last one.")
        else:
            await self._begin(coming)

    def _next_part(self) -> Part | None:
        place = self._course.part.index(self._part) + 1
        return self._course.part[place] if place < len(self._course.part) else None

    def _marks(self) -> str:
        return f"{self._record.points}/{self._record.max_points}" if self._record else "not graded"


def read(file: Path) -> bytes | None:
    """The file's bytes; None where there is no file."""
    try:
        return file.read_bytes()
    except OSError:
        return None


def syntax_problem(text: bytes) -> str | None:
    """Where Python cannot read a text, in the words of the report; None if it can.

    Nothing of it is run. This saves a grading that could only say the same. What is no text at
    all is left to the grader.
    """
    if b"\0" in text:
        return None
    try:
        ast.parse(text.decode("utf-8-sig"))
    except SyntaxError as error:
        line = (error.text or "").strip() or None
        told = Error(type="SyntaxError", message=error.msg, line=error.lineno, text=line)
        place = f"Line {error.lineno}: " if error.lineno else ""
        return place + import_problem(told).happened.removeprefix(DOES_NOT_LOAD).strip() + "."
    except (UnicodeDecodeError, RecursionError, MemoryError):
        return None
    return None
