"""The command that builds a learner's copy. Exit codes: 0 built, 2 this checkout cannot be released
as it is, 3 the environment.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

import grader
from classroom.handout.archive import pack
from classroom.handout.checkout import NoGit, NotReleasable, files_of, head, refuse_changes
from classroom.handout.contents import RELEASED, learners_files
from grader.api import shown_path
from grader.course import ROOT
from grader.report.json_file import write_whole

NAME = f"airflow-by-doing-{grader.__version__}"
USAGE, ENVIRONMENT = 2, 3
console = Console(highlight=False, markup=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def release(
    out: Annotated[Path, typer.Option(help="The folder that the zip goes into.")] = ROOT / "dist",
) -> None:
    """Build the zip for learners: the last commit's course, without answers, its checks sealed."""
    target = out / f"{NAME}-learner.zip"
    if out.exists() and not out.is_dir():
        stop(USAGE, f"{out} is a file; name a folder for the zip.")
    try:
        refuse_changes(ROOT, RELEASED)
        commit = head(ROOT)
        files = learners_files(files_of(ROOT, commit))
        packed = pack(files, NAME, commit.time, f"commit {commit.id}")
        out.mkdir(parents=True, exist_ok=True)
        write_whole(packed, target)
    except NotReleasable as problem:
        stop(USAGE, str(problem))
    except NoGit as problem:
        stop(ENVIRONMENT, str(problem))
    except OSError as error:
        stop(ENVIRONMENT, f"{target} was not written: {error.strerror or error}.")
    size = f"{len(files)} files, {len(packed):,} bytes"
    console.print(f"{shown_path(target)}: {size}, of commit {commit.id[:12]}")
    console.print(f"SHA-256 {hashlib.sha256(packed).hexdigest()}")


def stop(code: int, line: str) -> NoReturn:
    """One line on standard error, then the exit code."""
    errors.print(f"release: {line}")
    raise typer.Exit(code)
