"""Interrupts a run in the middle of a task, at the moment when it has changed a file.

It looks at the folder after each line of the learner's file. It must not change anything there.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from grader.worker.folders import files_below


class Interrupter:
    """Calls `act` once, when the `change`-th change to files in `folder` is done, and `lost` when a
    try has turned its watch off.
    """

    def __init__(
        self,
        file: str,
        folder: Path,
        change: int,
        act: Callable[[], None],
        lost: Callable[[], None],
    ):
        self._file, self._folder, self._left = file, folder, change
        self._act, self._lost = act, lost
        self._known: Any = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Around one try of a task, and the threads that it starts."""
        self._known = self._look()
        sys.settrace(self._enter)
        threading.settrace(self._enter)
        try:
            yield
        finally:
            if sys.gettrace() != self._enter:
                self._lost()
            sys.settrace(None)
            threading.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename == self._file else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        now = self._look()
        if now != self._known and self._left > 0:
            self._known = now
            self._left -= 1
            if self._left == 0:
                self._act()
        return self._line

    def _look(self) -> Any:
        """What there is, so that any change shows: names, sizes, times, and which file it is. A
        file without anything in it is none yet, or none any more.
        """
        found = set()
        for path, size in files_below(self._folder):
            with contextlib.suppress(OSError):
                about = os.lstat(path)
                if size:
                    found.add((str(path), size, about.st_mtime_ns, about.st_ino))
        return found
