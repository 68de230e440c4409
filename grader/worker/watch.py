"""Compares what a scenario's processes use with its limits, from outside, every 50 ms.

It must not end anything: whoever looks does.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from grader.worker.events import ProtocolError
from grader.worker.folders import size_below
from grader.worker.job import Job

POLL = 0.05
MIB = 1024 * 1024


class Watch:
    """Compares what the scenario's processes use with its limits."""

    def __init__(self, job: Job, baseline: int):
        self._limits, self._folder, self._baseline = job.limits, job.folder, baseline
        self._self = psutil.Process()
        self._deadline = time.monotonic() + job.limits.seconds
        self._next = 0.0

    def look(self) -> None:
        """Raises `ProtocolError` naming the limit that was passed."""
        now = time.monotonic()
        if now > self._deadline:
            raise ProtocolError("seconds", f"{self._limits.seconds:g} seconds")
        if now >= self._next:
            self._next = now + POLL
            self.look_closely()

    def look_closely(self) -> None:
        """The same, whatever the clock says."""
        processes = self._self.children(recursive=True)
        if len(processes) > self._limits.processes:
            raise ProtocolError("processes", f"{self._limits.processes} processes")
        if sum(self._own_memory(p) for p in processes) > self._limits.memory_mib * MIB:
            raise ProtocolError("memory", f"{self._limits.memory_mib:,} MiB of memory")
        written = sum(size_of(path) for path in self._folder.glob("output-*.txt"))
        if written > self._limits.output_mib * MIB:
            raise ProtocolError("output", f"{self._limits.output_mib} MiB of output")
        most = self._limits.files_mib * MIB
        if size_below([self._folder / "part", self._folder / "work"], most) > most:
            raise ProtocolError("files", f"{self._limits.files_mib} MiB of files")

    def _own_memory(self, process: psutil.Process) -> int:
        try:
            return max(0, anonymous_memory(process) - self._baseline)
        except psutil.Error:
            return 0


def anonymous_memory(process: psutil.Process) -> int:
    """Resident bytes that no file backs: a fork starts with its parent's, and adds its own."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def size_of(path: Path) -> int:
    """Size in bytes; 0 if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
