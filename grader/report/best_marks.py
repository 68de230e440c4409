"""The marks so far, in `progress.json` in the folder of the course, for a person to read.

It must not judge, and it loses nothing: several commands may write at once, and a file that
cannot be read is kept beside. Whatever goes wrong is one line, never the end of a command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from grader.course import ROOT
from grader.judge.record import PartResult, Record
from grader.report.json_file import write_whole

PROGRESS = ROOT / "progress.json"
ABOUT = "What make grade noted, so that make progress can show it. Hints: how many were shown."
PATIENCE = 10.0


class PartMarks(BaseModel):
    """One part: the points of the last grading, the best so far, of how many, and when.

    `hints` counts, by number of the section, how many were shown.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    points: int = Field(default=0, ge=0)
    best: int = Field(default=0, ge=0)
    of: int = Field(default=0, ge=0)
    when: AwareDatetime | None = None
    hints: dict[str, int] = Field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the last grading gave full marks."""
        return self.points == self.of > 0


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    about: str = ABOUT
    version: Literal[1] = 1
    parts: dict[str, PartMarks] = Field(default_factory=dict)


class Unreadable(Exception):
    """What is there is no file of marks."""


class BestMarks:
    """The file of marks. `say` is told in one line, at most, what went wrong with it."""

    def __init__(self, say: Callable[[str], None], path: Path = PROGRESS):
        self._say, self._path = say, path

    def read(self) -> dict[str, PartMarks]:
        """What is on record, by slug; nothing where there is no file."""
        try:
            try:
                return self._parts()
            except Unreadable:
                with self._locked():
                    return self._load()
        except OSError as error:
            self._say(f"{self._path.name} could not be read: {why(error)}.")
            return {}

    def note(self, record: Record) -> None:
        """Note each part of a record that was judged to its end."""
        judged = [p for p in record.parts if all(c.status != "error" for c in p.checks)]
        now = datetime.now().astimezone().replace(microsecond=0)

        def change(parts: dict[str, PartMarks]) -> None:
            for part in judged:
                parts[part.id] = noted(parts.get(part.id, PartMarks()), part, now)

        self._change("the marks", change)

    def note_hint(self, slug: str, task: int, shown: int) -> None:
        """Note that so many hints of a section were shown."""

        def change(parts: dict[str, PartMarks]) -> None:
            marks = parts.get(slug, PartMarks())
            hints = marks.hints | {str(task): shown}
            parts[slug] = marks.model_copy(update={"hints": hints})

        self._change("the hint", change)

    def _change(self, what: str, change: Callable[[dict[str, PartMarks]], None]) -> None:
        """Read, change and write while no other command does."""
        try:
            with self._locked():
                parts = self._load()
                change(parts)
                text = _File(parts=parts).model_dump_json(indent=2)
                write_whole(f"{text}\n".encode(), self._path.resolve())
        except OSError as error:
            self._say(f"{what} could not be noted in {self._path.name}: {why(error)}.")

    def _load(self) -> dict[str, PartMarks]:
        """What is on record, after setting aside what cannot be read."""
        try:
            return self._parts()
        except Unreadable:
            kept = self._set_aside()
            self._say(f"{self._path.name} holds no marks that can be read; it is kept as {kept}.")
            return {}

    def _parts(self) -> dict[str, PartMarks]:
        """Raises `OSError`, and `Unreadable` for what is no file of marks."""
        try:
            return dict(_File.model_validate_json(self._path.read_bytes()).parts)
        except FileNotFoundError:
            return {}
        except (ValidationError, IsADirectoryError) as error:
            raise Unreadable from error

    def _set_aside(self) -> str:
        """Rename what cannot be read; never over an earlier one. Returns the new name."""
        number = 1
        while os.path.lexists(target := self._path.with_name(f"{self._path.name}.broken-{number}")):
            number += 1
        os.rename(self._path, target)
        return target.name

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only command that reads and writes. Raises `OSError`."""
        with open(self._path.with_name(f".{self._path.name}.lock"), "w") as lock:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError("another command is still writing it") from None
                    time.sleep(0.02)
            yield


def noted(before: PartMarks, part: PartResult, now: datetime) -> PartMarks:
    """The marks of a part after one more grading."""
    new = {"points": part.points, "of": part.max_points, "when": now}
    return before.model_copy(update=new | {"best": max(before.best, part.points)})


def why(error: OSError) -> str:
    """The system's reason, without the number."""
    return error.strerror or str(error)
