"""Marks a class that is killed again and again at random moments, and goes on each time.

It starts the instructor's own command and kills it as the kernel would. It must not look inside.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from random import Random

import psutil

from grader.course import ROOT

PATIENCE = 60.0  # seconds in which what a killed marking started has to end by itself


@dataclass
class Interrupted:
    """How it went: how often it was killed at work, what outlived that, how it ended at last."""

    killed: int = 0
    outlived: list[psutil.Process] = field(default_factory=list)
    code: int = 0


def mark_interrupted(command: list[str], kills: int, seconds: float, random: Random) -> Interrupted:
    """Kill the command up to `kills` times, then let it come to its end. `seconds` is how long it
    takes undisturbed; the moments are spread over it.
    """
    found = Interrupted()
    for _ in range(kills):
        process = start(command)
        try:
            process.wait(random.uniform(0, 2 * seconds / (kills + 1)))
        except subprocess.TimeoutExpired:
            below = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            found.killed += 1
            found.outlived += psutil.wait_procs(below, timeout=PATIENCE)[1]
    found.code = start(command).wait()
    return found


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """The command in a process group of its own, silent."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
