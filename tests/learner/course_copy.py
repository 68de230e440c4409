"""A copy of the course as a learner has it, and a learner who types commands in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil

from grader.api import HOME
from grader.course import ROOT, Part, load_course

PART = load_course().part[0]
ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
PATIENCE = 120


class Copy:
    """What a learner needs of the repository, with its own `.work` and its own marks."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("grader", "learner", "exercises", "solutions"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("pyproject.toml", "requirements.lock"):
            shutil.copyfile(ROOT / name, folder / name)
        for made in (HOME / "airflow").glob("*/airflow.*"):
            target = folder / HOME.name / "airflow" / made.parent.name / made.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, target)
        self.marks = folder / "progress.json"

    def file(self, part: Part = PART) -> Path:
        return self.folder / "exercises" / part.slug / part.dag_file

    def solved(self, part: Part = PART) -> str:
        return (self.folder / "solutions" / part.slug / part.dag_file).read_text("utf-8")

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=os.environ | {"COLUMNS": "100"} | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def learner(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("learner", *arguments)


def take_the_terminal() -> None:
    """Have Ctrl-C on it reach this process, as in a shell."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command in a terminal of its own, 100 columns wide, and what it has written so far."""

    def __init__(self, copy: Copy, *arguments: str):
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 100, 0, 0))
        self._written = b""
        # Who sets these tells a program to look away from the terminal it has.
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        environment["TERM"] = "xterm-256color"
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=copy.folder,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=take_the_terminal,
        )
        self.settings = termios.tcgetattr(terminal)
        self._terminal = terminal

    def until(self, *texts: str) -> str:
        """Wait until all texts have come, in this order, since the last time. Returns all of it."""
        pattern = re.compile(".*?".join(map(re.escape, texts)), re.S)
        deadline = time.monotonic() + PATIENCE
        while not (found := pattern.search(self._plain())):
            left = deadline - time.monotonic()
            assert left > 0, f"{texts} did not come: {self._plain()[-3000:]}"
            if select.select([self._master], [], [], min(left, 0.5))[0]:
                self._written += os.read(self._master, 65536)
            else:
                assert self.process.poll() is None, f"it ended: {self._plain()[-3000:]}"
        text = self._plain()[: found.end()]
        self._written = self._plain()[found.end() :].encode()
        return text

    def _plain(self) -> str:
        return ESCAPES.sub(b"", self._written).decode("utf-8", "replace").replace("\r", "")

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def below(self) -> list[psutil.Process]:
        """All processes that it has started and that are still there."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait(self) -> int:
        """The exit code, once it has ended. What it writes meanwhile is kept."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self._master], [], [], 0.05)[0]:
                self._written += os.read(self._master, 65536)
        while select.select([self._master], [], [], 0.1)[0]:
            self._written += os.read(self._master, 65536)
        return self.process.returncode

    def rest(self) -> str:
        """What was written since the last `until`."""
        return self._plain()

    def restored(self) -> bool:
        """Whether the terminal echoes and waits for Enter again, as it did before."""
        return termios.tcgetattr(self._terminal) == self.settings

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            for process in [*self.below(), psutil.Process(self.process.pid)]:
                process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._terminal)
