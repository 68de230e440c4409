"""A copy of the checkout as a commit of its own, and what is built from it. It grades nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from grader.api import HOME
from grader.course import ROOT

NOW = "2026-03-02T09:00:00+00:00"
SOMEBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A", "EMAIL": "a@example.com", "DATE": NOW}.items()
}


def environment() -> dict[str, str]:
    """Of a person whose git and Airflow have no settings."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "AIRFLOW", "PYTEST"))}
    return own | SOMEBODY | {"GIT_CONFIG_GLOBAL": os.devnull, "COLUMNS": "100"}


def git(folder: Path, *arguments: str) -> str:
    """What a git command says."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(), capture_output=True, check=True
    )
    return done.stdout.decode()


def commit_of_the_checkout(folder: Path) -> Path:
    """What git tracks, or would track, in this checkout, as it stands now, committed elsewhere."""
    for name in git(ROOT, "ls-files", "-coz", "--exclude-standard").split("\0"):
        source, target = ROOT / name, folder / name
        if name and (source.is_file() or source.is_symlink()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target, follow_symlinks=False)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all of it")
    return folder


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a module of a copy, with the Python that runs the tests."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def build(folder: Path, out: Path) -> Path:
    """The learner's zip of a copy."""
    done = run(folder, "classroom.handout", "--out", out)
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


def unpack(zip_file: Path, folder: Path) -> Path:
    """What a learner has after unzipping, and Airflow's metadata database, which takes a while."""
    with zipfile.ZipFile(zip_file) as archive:
        archive.extractall(folder)
    (course,) = folder.iterdir()
    lend_database(course)
    return course


def lend_database(course: Path) -> None:
    """Put the metadata database there, if one was ever made here."""
    for made in (HOME / "airflow").glob("*/airflow.db"):
        target = course / HOME.name / "airflow" / made.parent.name / made.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
