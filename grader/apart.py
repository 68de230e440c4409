"""Runs what has to do with the hidden checks in a child process that ends at once.

So nothing of a check is ever in the memory of a process that lives while learner code runs, and a
grader that stays warm reads them anew each time. What comes back is plain data.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pydantic import BaseModel

from grader.observe.worker_client import EnvironmentProblem
from grader.sealed import Damaged

M = TypeVar("M", bound=BaseModel)
PATIENCE = 120  # seconds; all checks together need less than one
PR_SET_DUMPABLE = 4
LIBC = ctypes.CDLL(None)
REMEDY = "Take the folder grader/checks from the course's zip again; your own files can stay."


class GraderProblem(Exception):
    """The grader itself does not work."""


class InTheChild(Exception):
    """The traceback of what went wrong there, for the log."""


class Answer(BaseModel):
    """What the child says: its result as JSON, or what went wrong, and whether a file was bad."""

    result: str | None = None
    problem: str = ""
    damaged: bool = False
    traceback: str = ""


def run(work: Callable[[], M], kind: type[M], patience: int = PATIENCE) -> M:
    """What `work` returns in a child of this process, which has ended when this returns.

    Raises `EnvironmentProblem` where a sealed file is damaged, else `GraderProblem`.
    """
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        child, reading = _start(work, patience)
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, usual)
            with os.fdopen(reading, "rb") as pipe:
                said = pipe.read()
        finally:
            # Where somebody has this process ignore its children, it is gone already.
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    if not said:
        raise GraderProblem("the process that runs the checks was ended, or did not come to an end")
    return _result_of(Answer.model_validate_json(said), kind)


def _result_of(answer: Answer, kind: type[M]) -> M:
    if answer.damaged:
        raise EnvironmentProblem(f"{answer.problem}. {REMEDY}")
    if answer.result is None:
        raise GraderProblem(answer.problem) from InTheChild(f"\n{answer.traceback}")
    return kind.model_validate_json(answer.result)


def _start(work: Callable[[], BaseModel], patience: int) -> tuple[int, int]:
    """Fork. Returns the child's number and where to read what it says."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if child == 0:
        _be_the_child(work, writing, patience)
    os.close(writing)
    return child, reading


def _be_the_child(work: Callable[[], BaseModel], writing: int, patience: int) -> NoReturn:
    """Work, answer, end. Never returns: what stands above on the stack is the parent's.

    Interruptions stay blocked, for it is the parent who tidies up.
    """
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(patience)
        if sys.platform == "linux":  # what else this user runs must not look into its memory
            LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_answer_of(work).model_dump_json().encode())
    finally:
        os._exit(0)


def _answer_of(work: Callable[[], BaseModel]) -> Answer:
    try:
        return Answer(result=work().model_dump_json())
    except BaseException as error:
        known = isinstance(error, Damaged | GraderProblem)
        return Answer(
            problem=whole(str(error) if known else summary(error)),
            damaged=isinstance(error, Damaged),
            traceback=whole(traceback.format_exc()),
        )


def summary(error: BaseException) -> str:
    """An exception in one line, without the code that raised it."""
    return traceback.format_exception_only(error)[-1].strip().splitlines()[-1]


def whole(text: str) -> str:
    """A text that can be written as JSON: half a character is none."""
    return text.encode("utf-8", "replace").decode()
