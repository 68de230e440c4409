"""A copy of the repository, and a person who types commands in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.api import HOME
from grader.course import ROOT, load_course

PART = load_course().part[0]


class Repo:
    """A copy of what grading needs, with its own `.work`, and a person who types commands."""

    def __init__(self, folder: Path):
        self.folder, self.person = folder / "repo", folder / "person"
        self.person.mkdir()
        for name in ("grader", "exercises", "solutions"):
            shutil.copytree(
                ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copyfile(ROOT / "pyproject.toml", self.folder / "pyproject.toml")
        self.work = self.folder / HOME.name
        for made in (HOME / "airflow").glob("*/airflow.db"):
            target = self.work / "airflow" / made.parent.name / made.name
            target.parent.mkdir(parents=True)
            shutil.copyfile(made, target)
        self.check_file = self.folder / "grader" / "checks" / f"test_{PART.slug}.py"

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """As a shell does: in a process group of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=self.folder,
            env=environment | {"HOME": str(self.person), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A shell has what it runs in the background ignore Ctrl-C, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a module to its end."""
        return finish(self.start(*arguments))

    def grade(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run("grader", "grade", *arguments)

    def submit(self, name: str, text: str) -> Path:
        """A submission of the first part."""
        target = self.folder / name / PART.slug / PART.dag_file
        target.parent.mkdir(parents=True)
        target.write_text(text, "utf-8")
        return self.folder / name

    @contextlib.contextmanager
    def changed(self, path: Path, text: str) -> Iterator[None]:
        """A file with another text, for a while."""
        before = path.read_text("utf-8") if path.exists() else None
        path.write_text(text, "utf-8")
        try:
            yield
        finally:
            path.unlink() if before is None else path.write_text(before, "utf-8")


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for the end."""
    try:
        out, err = process.communicate(timeout=200)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def one_line(done: subprocess.CompletedProcess[str], start: str) -> str:
    """The only line on standard error that is no progress."""
    assert "Traceback" not in done.stderr + done.stdout
    told = [line for line in done.stderr.splitlines() if line.startswith("grade: ")]
    assert len(told) == 1, done.stderr
    assert told[0].startswith(f"grade: {start}"), told[0]
    return told[0]
