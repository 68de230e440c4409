"""The command line of an instructor. It reads options, calls the rooms, and sets exit codes:
0 marked, 2 usage, 3 the environment, 4 parts without a mark, 130 stopped. `compare`: 0 if no mark
moved, 1 if some did.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from classroom.compare import Unusable, load_class
from classroom.compare import compare as compare_classes
from classroom.compare_report import print_comparison
from classroom.handout.cli import release
from classroom.journal import InUse
from classroom.marking import Settings
from classroom.one_class import mark_class
from classroom.outputs import as_json
from classroom.outputs.figures import counted
from classroom.submissions import collect
from grader.api import usable_cores
from grader.course import Course, load_course
from grader.observe.sandbox import NoSandbox, choose
from grader.observe.worker_client import EnvironmentProblem
from grader.report.json_file import write_whole

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
MOVED, USAGE, ENVIRONMENT, NOT_MARKED, INTERRUPTED = 1, 2, 3, 4, 130
console = Console(highlight=False, markup=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


class SandboxOption(StrEnum):
    """What learner code is locked into."""

    auto = "auto"
    bwrap = "bwrap"
    docker = "docker"
    none = "none"


@app.callback()
def main() -> None:
    """Marks a class, and makes what it is given."""


app.command()(release)


@app.command()
def mark(
    submissions: Annotated[str, typer.Argument(help="A folder or an archive per learner.")],
    out: Annotated[str, typer.Argument(help="Where the marks go. Run again to go on.")],
    parts: Annotated[
        list[str] | None, typer.Argument(help="Numbers or slugs; all if none.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the scenarios' inputs.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Learners at the same time; all cores if not given.")
    ] = None,
    sandbox: Annotated[
        SandboxOption, typer.Option(help="What learner code is locked into.")
    ] = SandboxOption.auto,
) -> None:
    """Mark everything that a class handed in."""
    refuse_bad_folders(submissions, out)
    course = chosen(load_course(), parts or [])
    try:
        kind = choose(sandbox.value)
        collected = collect(Path(submissions), course)
        for line in collected.problems:
            console.print(line)
        if not collected.learners:
            stop(USAGE, f"{submissions} holds no submission; it needs a folder or zip per learner.")
        settings = Settings(seed=seed, sandbox=kind, jobs=jobs or usable_cores())
        unmarked = mark_class(course, collected, settings, Path(out), console, errors)
    except InUse as problem:
        stop(USAGE, str(problem))
    except NoSandbox as problem:
        stop(ENVIRONMENT, str(problem))
    except EnvironmentProblem as problem:
        stop(ENVIRONMENT, f"environment: {problem}")
    except OSError as error:
        where = f": {error.filename}." if error.filename else ""
        stop(ENVIRONMENT, f"{error.strerror or error}{where} Marks made so far are kept.")
    except (KeyboardInterrupt, asyncio.CancelledError):
        stop(INTERRUPTED, "stopped. Marks made so far are kept; the same command goes on.")
    if unmarked:
        parts_lost = counted(unmarked, "part")
        stop(NOT_MARKED, f"{parts_lost} could not be marked; class.html says which, and why.")


@app.command()
def compare(
    old: Annotated[str, typer.Argument(help="A folder of marks, or its class.json.")],
    new: Annotated[str, typer.Argument(help="Another one.")],
    json: Annotated[Path | None, typer.Option(help="Write the comparison here too.")] = None,
) -> None:
    """Say whose mark moved between two markings, by which check, and after which change."""
    if not old or not new:
        stop(USAGE, "name two folders of marks: make class-compare OLD=dir NEW=dir")
    if json is not None and json.exists() and not json.is_file():
        stop(USAGE, f"{json} is not a file; name one to write the comparison into.")
    try:
        comparison = compare_classes(load_class(Path(old)), load_class(Path(new)))
    except Unusable as problem:
        stop(USAGE, str(problem))
    print_comparison(comparison, console)
    if json is not None:
        try:
            write_whole(as_json(comparison.model_dump(mode="json")), json)
        except OSError as error:
            stop(USAGE, f"{json} was not written: {error.strerror or error}.")
    raise typer.Exit(MOVED if comparison.moved else 0)


def chosen(course: Course, parts: list[str]) -> Course:
    """The course with the parts that are asked for."""
    try:
        found = course.select([part for text in parts for part in text.split(",") if part])
    except KeyError as error:
        known = ", ".join(course.numbers)
        stop(USAGE, f"there is no part {error.args[0]!r}; the parts are {known}.")
    return course.model_copy(update={"part": tuple(found)})


def refuse_bad_folders(submissions: str, out: str) -> None:
    """End with one line where the folders cannot work, before anything is run."""
    if not submissions or not out:
        stop(USAGE, "name two folders: make class SUBMISSIONS=dir OUT=dir")
    place, marks = Path(submissions), Path(out)
    if not place.is_dir():
        kind = "is a file" if place.exists() else "is not there"
        stop(USAGE, f"{place} {kind}; name the folder with a folder or zip per learner.")
    if marks.exists() and not marks.is_dir():
        stop(USAGE, f"{marks} is a file; name a folder for the marks.")
    if marks.resolve().is_relative_to(place.resolve()):
        stop(USAGE, f"{marks} is inside {place}; marks need a folder of their own.")


def stop(code: int, line: str) -> NoReturn:
    """One line on standard error, then the exit code."""
    errors.print(f"class: {line}")
    raise typer.Exit(code)
