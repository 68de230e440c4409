"""What a sandbox has to stop: submissions that try it, and the machine around them.

It grades nothing itself.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hostile_case import DAG_FILE, PART, assert_verdict, happened

from grader.api import Grader
from grader.course import ROOT
from grader.judge.record import PartResult

OUTSIDE = Path(__file__).parent / "submissions" / "outside"
TRICKS = sorted(path.stem for path in OUTSIDE.glob("*.py"))
# Of this process alone: another one may try at the same time what works without a sandbox.
MARK = f"heron-neighbour-{os.getpid()}-"
LEAVES = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["{mark}", "600"])
    os._exit(0)
os.wait()
time.sleep(0.3)
"""
Grade = Callable[[str], PartResult]


@pytest.fixture
def victim() -> Iterator[psutil.Popen]:
    """A process of somebody else."""
    process = psutil.Popen([MARK, "600"], executable=shutil.which("sleep"))
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def grade(grader: Grader, tmp_path: Path, victim: psutil.Popen, server: socket.socket) -> Grade:
    """Grade a text as part 00, with a neighbour's submission on the disk."""
    neighbour = hand_in(tmp_path / "neighbour", "# not yours\n")

    def grade(text: str) -> PartResult:
        for name, value in {
            "NEIGHBOUR": neighbour,
            "PORT": server.getsockname()[1],
            "PID": victim.pid,
            "MARK": MARK,
            "ROOT": ROOT,
            "UID": os.getuid(),
        }.items():
            text = text.replace(f"@{name}@", str(value))
        folder = hand_in(tmp_path / "submission", text)
        return grader.grade(folder, [PART]).parts[0]

    return grade


def hand_in(folder: Path, text: str) -> Path:
    """A submission with this file for part 00."""
    place = folder / PART
    place.mkdir(parents=True)
    (place / DAG_FILE).write_text(text, "utf-8")
    return folder


def assert_stopped(trick: str, grade: Grade, victim: psutil.Popen) -> None:
    """The trick does not work, and the DAG that tried it is right otherwise."""
    assert_verdict("full_marks", grade((OUTSIDE / f"{trick}.py").read_text("utf-8")))
    assert victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE


def assert_works(trick: str, grade: Grade) -> None:
    """The trick works, and says so."""
    part = grade((OUTSIDE / f"{trick}.py").read_text("utf-8"))
    assert_verdict("no_marks", part)
    assert "it worked" in happened(part)


def assert_nothing_is_left(mark: str, grade: Grade) -> None:
    """A process that left its group and its parent ends with the scenario."""
    right = (ROOT / "solutions" / PART / DAG_FILE).read_text("utf-8")
    start = right.index("from airflow.sdk")
    assert_verdict("full_marks", grade(right[:start] + LEAVES.format(mark=mark) + right[start:]))
    assert not [p for p in psutil.process_iter() if mark in called(p)]


def called(process: psutil.Process) -> list[str]:
    """The arguments of a process."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
