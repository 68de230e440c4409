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

from grader.scenario import Interruption
from grader.worker.folders import files_below


class Interrupter:
    """Calls `act` once, when the planned change to files in `folder` is done, and `lost` when a
    try has turned its watch off.
    """

    def __init__(
        self,
        file: str,
        folder: Path,
        plan: Interruption,
        act: Callable[[], None],
        lost: Callable[[], None],
    ):
        self._file, self._folder, self._left = file, folder, plan.change
        self._only = folder / plan.file if plan.file else None
        self._act, self._lost = act, lost
        self._known: Any = None
        self._on = False
        if self._only is not None:
            sys.addaudithook(self._before_opening)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Around one try of a task, and the threads that it starts."""
        self._known = self._look()
        self._on = True
        sys.settrace(self._enter)
        threading.settrace(self._enter)
        try:
            yield
        finally:
            self._on = False
            if sys.gettrace() != self._enter:
                self._lost()
            sys.settrace(None)
            threading.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename == self._file else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._count_changes()
        return self._line

    def _count_changes(self) -> None:
        now = self._look()
        if now != self._known and self._left > 0:
            self._known = now
            self._left -= 1
            if self._left == 0:
                self._act()

    def _before_opening(self, event: str, arguments: tuple[Any, ...]) -> None:
        """To write a file anew empties it first, which is over when the line is. So do it a moment
        earlier, where a process can be killed that has come no further.
        """
        if event != "open" or not self._on or not arguments[2] & os.O_TRUNC:
            return
        with contextlib.suppress(TypeError, ValueError, OSError):
            if os.path.samefile(arguments[0], str(self._only)):
                os.truncate(arguments[0], 0)
                self._count_changes()

    def _look(self) -> Any:
        """What there is, so that any change shows: names, sizes, times, and which file it is. A
        file without anything in it is none yet, or none any more.
        """
        found = set()
        for path in [self._only] if self._only else [p for p, _ in files_below(self._folder)]:
            with contextlib.suppress(OSError):
                about = os.lstat(path)
                if about.st_size:
                    found.add((str(path), about.st_size, about.st_mtime_ns, about.st_ino))
        return found
