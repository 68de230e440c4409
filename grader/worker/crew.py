"""The processes in which a scenario's runs take place: one, unless the scenario interrupts a run.

It forks them, lets go on the one that is held, and gives the work of one that was killed to the
next. It runs no learner code itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import secrets
import signal
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import psutil

from grader.scenario import Limits, pauses
from grader.worker.database import Database
from grader.worker.events import EventReader, make_emitter
from grader.worker.job import Job, Turn

EVENTS, RESUME = 3, 4
MIB = 1024 * 1024


@dataclass
class Member:
    """One process: what it does, where it tells about it, and where it waits for a word."""

    turn: Turn
    events: int
    resume: int
    reader: EventReader
    over: bool = False
    killed_in: int | None = None


class Crew:
    """All processes of one job. `environment` leads to the job's servers."""

    def __init__(self, job: Job, database: Database, environment: dict[str, str]):
        self._job, self._database, self._environment = job, database, environment
        self._members: list[Member] = []
        self._held: Member | None = None
        self._waiting: Member | None = None

    def begin(self) -> None:
        """Start the first process. A run in the middle of another one is not its own."""
        runs = self._job.scenario.runs
        self._start(tuple(i for i in range(len(runs)) if not (i and pauses(runs[i - 1]))))

    @property
    def at_work(self) -> list[Member]:
        """Processes that have more to say."""
        return [member for member in self._members if not member.over]

    def heard(self, member: Member, event: dict[str, Any]) -> None:
        """Do what an event of a process asks for, once it was found to be as planned."""
        kind = event["kind"]
        if kind == "interrupted" and event["how"] == "kill":
            member.killed_in = event["index"]
        elif kind == "interrupted":
            self._held = member
            self._start((event["index"] + 1,), beside=True)
        elif kind == "waits":
            self._waiting = member
            self._let_held_go_on()
        elif kind in ("run_ended", "run_broke") and not member.turn.beside:
            self._let_waiting_go_on()
        elif kind == "done":
            self._over(member)

    def gone(self, member: Member) -> bool:
        """A process has closed its end. Returns whether it was meant to."""
        self._over(member)
        if member.killed_in is None:
            return False
        left = tuple(i for i in member.turn.runs if i > member.killed_in)
        if left:
            self._start(left)
        return True

    def _over(self, member: Member) -> None:
        member.over = True
        if member.turn.beside:
            self._let_held_go_on()
        else:
            self._let_waiting_go_on()

    def _let_held_go_on(self) -> None:
        tell(self._held)
        self._held = None

    def _let_waiting_go_on(self) -> None:
        tell(self._waiting)
        self._waiting = None

    def _start(self, runs: tuple[int, ...], *, beside: bool = False) -> None:
        turn = Turn(job=self._job, number=len(self._members), runs=runs, beside=beside)
        nonce = secrets.token_hex(16)
        (reading, writing), (waiting, resuming) = os.pipe(), os.pipe()
        if os.fork() == 0:
            run_child(turn, self._database, self._environment, nonce, writing, waiting)
        os.close(writing)
        os.close(waiting)
        self._members.append(Member(turn, reading, resuming, EventReader(nonce)))

    def close(self) -> None:
        """Let go of what leads to the processes."""
        for member in self._members:
            os.close(member.events)
            os.close(member.resume)


def tell(member: Member | None) -> None:
    """A word to one that waits for it, if it still lives."""
    if member is not None:
        with contextlib.suppress(BrokenPipeError):
            os.write(member.resume, b"1")


def run_child(
    turn: Turn,
    database: Database,
    environment: dict[str, str],
    nonce: str,
    writing: int,
    waiting: int,
) -> None:
    """The forked side. Never returns: whatever happens, the process ends here."""
    try:
        enter(turn, environment, writing, waiting)
        from grader.worker.child import observe  # loaded by `preload`; it imports Airflow

        emit = make_emitter(EVENTS, nonce)
        database.use_copy(turn.database)
        observe(turn, emit, lambda: None if os.read(RESUME, 1) else os._exit(0))
        emit("done")
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(0)


def enter(turn: Turn, environment: dict[str, str], writing: int, waiting: int) -> None:
    """Close what is not the learner's, set limits and environment."""
    job = turn.job
    output = os.open(turn.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # First out of the way of the numbers that they get.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in (writing, waiting)]
    for descriptor, number in zip(high, (EVENTS, RESUME), strict=True):
        os.dup2(descriptor, number, inheritable=False)
    os.closerange(RESUME + 1, 1024)
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
