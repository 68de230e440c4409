"""Stands between the worker and one scenario: forks the child, enforces the limits from outside,
ends whatever is left of it and writes the transcript. It runs no learner code and trusts none.

Differences between systems: Linux hands orphans to the keeper (subreaper), so that nothing a
submission leaves behind survives; elsewhere only its process group and known descendants can be
ended. Address space is limited by the kernel on Linux only; on macOS the memory limit is polled.
"""

from __future__ import annotations

import ctypes
import os
import resource
import secrets
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from grader.scenario import Limits
from grader.transcript import Transcript
from grader.worker.assemble import Assembler
from grader.worker.database import NAME, Database
from grader.worker.events import EventReader, ProtocolError, make_emitter
from grader.worker.folders import size_below
from grader.worker.job import Job

POLL = 0.05
MIB = 1024 * 1024
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Have orphans of this process tree handed to this process (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def keep(job: Job, database: Database, environment: dict[str, str]) -> Transcript:
    """Observe one job in a fresh child and return what became of it."""
    os.setsid()
    become_subreaper()
    started = time.perf_counter()
    nonce = secrets.token_hex(16)
    reading, writing = os.pipe()
    baseline = anonymous_memory(psutil.Process())
    child = os.fork()
    if child == 0:
        run_child(job, database, environment, nonce, writing)
    os.close(writing)
    watch = Watch(job, baseline)
    assembler = Assembler(job)
    try:
        follow(reading, EventReader(nonce), assembler, watch)
    except ProtocolError as error:
        assembler.breach(error.limit, error.detail)
    finally:
        os.close(reading)
        left = end_everything()
    transcript = assembler.finish(left)
    return transcript.model_copy(
        update={"timings": {"scenario": round(time.perf_counter() - started, 3)}}
    )


def run_child(
    job: Job, database: Database, environment: dict[str, str], nonce: str, writing: int
) -> None:
    """The forked side. Never returns: whatever happens, the process ends here."""
    try:
        events = enter(job, environment, writing)
        from grader.worker.child import observe  # loaded by `preload`; it imports Airflow

        emit = make_emitter(events, nonce)
        database.use_copy(job.folder / NAME)
        observe(job, emit)
        emit("done")
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(0)


def enter(job: Job, environment: dict[str, str], writing: int) -> int:
    """Close what is not the learner's, set limits and environment. Returns the event pipe."""
    output = os.open(job.folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    events = os.dup2(writing, 3, inheritable=False)
    os.closerange(4, 1024)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    set_kernel_limits(job.limits)
    work = job.folder / "work"
    os.chdir(work)
    os.environ.pop("PYTHONPATH", None)
    os.environ.update(
        environment,
        AIRFLOW_HOME=str(job.folder),
        HOME=str(work),
        TMPDIR=str(work),
        PWD=str(work),
    )
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    tempfile.tempdir = None
    return events


def set_kernel_limits(limits: Limits) -> None:
    """What the kernel can refuse by itself, so that one big step between two polls does no harm."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A little above the limit, so that it is the keeper who says which limit it was.
    size = limits.files_mib * MIB + MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if sys.platform == "linux":
        space = psutil.Process().memory_info().vms + limits.memory_mib * MIB * 3 // 2
        resource.setrlimit(resource.RLIMIT_AS, (space, space))


def follow(fd: int, reader: EventReader, assembler: Assembler, watch: Watch) -> None:
    """Read events until the child is done, gone, or over a limit."""
    while not assembler.done:
        readable, _, _ = select.select([fd], [], [], POLL)
        if readable:
            data = os.read(fd, 65536)
            if not data:
                return
            for event in reader.feed(data):
                ended = event.get("kind") == "try_ended"
                assembler.take(event)
                if ended:  # before another task can be blamed for what this one left
                    watch.look_closely()
        watch.look()
    watch.look_closely()


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
        if size_of(self._folder / "output.txt") > self._limits.output_mib * MIB:
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


def end_everything(keep_alive: frozenset[int] = frozenset()) -> int:
    """Kill every descendant, also what was started while killing. Returns how many there were.

    Stopping all of them first keeps a fork bomb from outrunning the killing.
    """
    me, seen = psutil.Process(), 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        reap()
        living = [p for p in descendants(me, keep_alive) if alive(p)]
        if not living:
            return seen
        seen = max(seen, len(living))
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in living:
                try:
                    process.send_signal(number)
                except (psutil.Error, OSError):
                    continue
        time.sleep(0.002)
    return seen


def descendants(me: psutil.Process, keep_alive: frozenset[int]) -> list[psutil.Process]:
    """All processes below `me`, but for the children in `keep_alive` and what is below those."""
    found: list[psutil.Process] = []
    for child in me.children():
        if child.pid not in keep_alive:
            found.append(child)
            try:
                found.extend(child.children(recursive=True))
            except psutil.Error:
                continue
    return found


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs code."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def reap() -> None:
    """Collect the dead among our children."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
