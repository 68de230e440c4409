"""Notes what loading a DAG file does besides making DAGs: connections, programs, written files.

It listens to Python's own audit events. It must not forbid anything.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from grader.worker.facts import cut

MOST = 50


class LoadingWatch:
    """Notes, while it is listening, what is touched. Paths are shown relative to `folder`."""

    def __init__(self, folder: str) -> None:
        self.touched: list[str] = []
        self._folder, self._on = folder, False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """An audit hook cannot be taken out again; it only goes deaf."""
        sys.addaudithook(self._hear)
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._on:
            what = described(event, arguments)
            if what and len(self.touched) < MOST and what not in self.touched:
                self.touched.append(cut(what.replace(self._folder + "/", ""), 200))


def described(event: str, arguments: tuple[Any, ...]) -> str | None:
    """A few words for what counts as more than loading."""
    try:
        if event == "socket.connect":
            address = arguments[1]
            shown = ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
            return f"connect {shown}"
        if event == "socket.getaddrinfo":
            return f"connect {arguments[0]}:{arguments[1]}"
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            program = arguments[1] if event == "subprocess.Popen" else arguments[0]
            words = program if isinstance(program, list | tuple) else [program]
            return f"run {' '.join(os.fsdecode(word) for word in words)}"
        if event == "open" and writes(arguments):
            return f"write {arguments[0]}"
        if event in ("os.remove", "os.rename", "os.mkdir") and "__pycache__" not in str(arguments):
            return f"{event.removeprefix('os.')} {arguments[0]}"
    except Exception:  # the objects are the learner's
        return event
    return None


def writes(arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened to write, and is one that stays (no byte code, no device)."""
    path, mode, flags = arguments
    name = str(path)
    if isinstance(path, int) or "__pycache__" in name or name.startswith("/dev/"):
        return False
    if isinstance(mode, str):
        return any(sign in mode for sign in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
