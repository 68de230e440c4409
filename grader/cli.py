"""The command line. It reads options, calls `grader.api` and `grader.report`, and sets exit codes:
0 all passed, 1 the submission, 2 usage, 3 the environment, 4 the grader itself.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from grader.api import HOME, Grader
from grader.course import ROOT, Course, load_course
from grader.judge.problems import DOES_NOT_LOAD
from grader.judge.record import Record
from grader.observe.worker_client import EnvironmentProblem
from grader.report.best_marks import BestMarks
from grader.report.json_file import write_json
from grader.report.progress import Progress
from grader.report.terminal import print_report

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
USAGE, ENVIRONMENT, GRADER, INTERRUPTED = 2, 3, 4, 130
EXERCISES = ROOT / "exercises"
STOPPED = "stopped; nothing was marked, and what was already observed is kept."
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


@app.callback()
def main() -> None:
    """Marks DAGs by what they do."""


@app.command()
def grade(
    parts: Annotated[
        list[str] | None, typer.Argument(help="Numbers or slugs; all if none.")
    ] = None,
    submission: Annotated[Path, typer.Option(help="The folder to mark.")] = EXERCISES,
    seed: Annotated[int, typer.Option(help="Draws the scenarios' inputs.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Scenarios at the same time; all cores if not given.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the record to this file too.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every scenario again.")] = False,
    timings: Annotated[bool, typer.Option("--timings", help="Say where the time goes.")] = False,
) -> None:
    """Mark a submission."""
    course = load_course()
    wanted = [part for text in parts or [] for part in text.split(",") if part]
    refuse_bad_usage(course, wanted, submission, json)
    console = Console(highlight=False)
    with (
        blame("grade", STOPPED),
        Progress(errors) as progress,
        Grader(jobs=jobs, cache=not no_cache, course=course, listener=progress) as grader,
    ):
        record = grader.grade(submission, wanted, seed=seed)
    print_report(
        record,
        course,
        console,
        untouched=untouched(record, submission, course),
        timings=grader.timings if timings else None,
    )
    if submission.resolve() == EXERCISES.resolve():
        BestMarks(lambda line: errors.print(f"grade: {line}")).note(record)
    if json is not None:
        try:
            write_json(record, json)
        except OSError as error:
            stop(USAGE, str(error))
    raise typer.Exit(record.exit_code)


def refuse_bad_usage(course: Course, parts: list[str], submission: Path, json: Path | None) -> None:
    """End with one line where the options cannot work, before anything is run."""
    try:
        course.select(parts)
    except KeyError as error:
        known = ", ".join(course.numbers)
        stop(USAGE, f"there is no part {error.args[0]!r}; the parts are {known}.")
    if submission.is_file():
        stop(USAGE, f"{submission} is a file; name the folder that holds parts like 00_….")
    if not submission.is_dir():
        stop(USAGE, f"there is no folder {submission}; name one that holds parts like 00_….")
    if json is not None and json.is_dir():
        stop(USAGE, f"{json} is a folder; name a file to write the record into.")
    if json is not None and not json.absolute().parent.is_dir():
        stop(USAGE, f"there is no folder {json.absolute().parent} to write {json.name} into.")


def untouched(record: Record, submission: Path, course: Course) -> set[str]:
    """Parts without a mark in which TODOs still wait."""
    found = set()
    for part, result in zip(course.select([p.id for p in record.parts]), record.parts, strict=True):
        file = submission / part.slug / part.dag_file
        loads = not any(DOES_NOT_LOAD in (check.message or "") for check in result.checks)
        if loads and result.points == 0 and file.is_file():
            text = file.read_text("utf-8", "replace")
            if 'NotImplementedError("TODO ' in text:
                found.add(part.slug)
    return found


@contextlib.contextmanager
def blame(command: str, stopped: str) -> Iterator[None]:
    """Make one line and an exit code of whatever keeps a command from its end."""
    try:
        yield
    except typer.Exit:
        raise
    except (KeyboardInterrupt, typer.Abort):
        stop(INTERRUPTED, stopped, command)
    except Exception as error:
        stop(*blamed(error), command)


def blamed(error: Exception) -> tuple[int, str]:
    """The exit code and one line for what went wrong while grading; all of it goes into a log."""
    if isinstance(error, EnvironmentProblem):
        return ENVIRONMENT, f"environment: {error}"
    if isinstance(error, OSError):
        return ENVIRONMENT, f"environment: {error.strerror or error}: {error.filename or HOME}"
    log = HOME / "grader.log"
    with contextlib.suppress(OSError):
        HOME.mkdir(exist_ok=True)
        log.write_text("".join(traceback.format_exception(error)), "utf-8")
    return GRADER, f"the grader itself failed, not you: {error!r:.300} (all of it: {log})"


def stop(code: int, line: str, command: str = "grade") -> NoReturn:
    """One line on standard error, then the exit code."""
    errors.print(f"{command}: {line}")
    raise typer.Exit(code)
