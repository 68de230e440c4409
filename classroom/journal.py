"""Marks as they come, one JSON line each, in a file that a crash or a full disk cannot spoil.

A line counts if its key is one that is asked for; nothing is ever taken out. It must not mark.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.judge.record import PartResult


class Entry(BaseModel):
    """The mark of one unit. `seconds` is real time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    seconds: float
    result: PartResult


class InUse(Exception):
    """Another process is writing to the same journal."""


class Journal:
    """A context manager: it keeps others from writing to the file as long as it is open."""

    def __init__(self, path: Path):
        self._path = path
        self.entries: dict[str, Entry] = {}

    def __enter__(self) -> Journal:
        """Raises `InUse`, `OSError`."""
        self._file = open(self._path, "a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InUse(
                f"another run is writing to {self._path}; wait for it, or stop it."
            ) from None
        self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read(self) -> None:
        """What is there. A line that was cut off by a crash is none, and ends here."""
        self._file.seek(0)
        data = self._file.read()
        for line in data.splitlines():
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError:
                continue
            self.entries[entry.key] = entry
        if data and not data.endswith(b"\n"):
            self._write(b"\n")

    def add(self, entry: Entry) -> None:
        """Keep a mark; it is on the disk when this returns. Raises `OSError`."""
        self._write(entry.model_dump_json().encode("utf-8", "replace") + b"\n")
        os.fsync(self._file.fileno())
        self.entries[entry.key] = entry

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) or 0 :]
