"""The learner's commands. It reads options, calls the modules, and sets exit codes as `make grade`
does: 0 fine, 1 the learner's file, 2 usage, 3 the environment, 4 the grader itself, 130 Ctrl-C.
"""

from __future__ import annotations

import asyncio
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from grader.api import Grader, shown_path
from grader.cli import ENVIRONMENT, EXERCISES, STOPPED, USAGE, blame, errors, stop
from grader.course import ROOT, Course, Part, load_course
from grader.judge.record import Record
from grader.report import BestMarks, Progress
from grader.report.page import Page
from grader.report.terminal import all_passed, first_open
from learner import canary_run, hints, quickcheck, reset, show, solution, stubs
from learner.parts import Problem, choose, dag_file
from learner.progress import print_progress
from learner.warm import Relay, WarmGrader
from learner.watch import Watch

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
SOLUTIONS = ROOT / "solutions"
Parts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PART]", help="Its number or slug; the first open one if not given."),
]


@app.callback()
def main() -> None:
    """A learner's daily tools around make grade."""


@contextmanager
def command(name: str, stopped: str = "stopped.") -> Iterator[tuple[Course, BestMarks, Console]]:
    """What each command needs, and one line for whatever keeps it from its end."""
    with blame(name, stopped):
        try:
            marks = BestMarks(lambda line: errors.print(f"{name}: {line}"))
            yield load_course(), marks, Console(highlight=False)
        except Problem as problem:
            stop(problem.code, str(problem), name)


def graded(course: Course, part: Part, best: BestMarks) -> Record:
    """Mark one part of the course's own exercises, and note the marks."""
    with Progress(errors) as progress, Grader(course=course, listener=progress) as grader:
        record = grader.grade(EXERCISES, [part.slug])
    best.note(record)
    return record


@app.command()
def watch(
    part: Parts = None,
    poll: Annotated[
        bool, typer.Option("--poll", help="Look at the file, rather than being told of saves.")
    ] = False,
) -> None:
    """Grade a part again each time it is saved. q and Ctrl-C end it, with exit code 0.

    Where saves go unnoticed, --poll or the variable WATCHFILES_FORCE_POLLING=1 may help.
    """
    with command("watch") as (course, best, _):
        chosen, relay = choose(course, part or [], best.read()), Relay()
        dag_file(chosen)
        with Grader(course=course, listener=relay) as grader:
            asyncio.run(Watch(course, chosen, WarmGrader(grader, relay), poll=poll).run())


@app.command()
def progress() -> None:
    """Show all parts with their marks, what is left, and what comes next."""
    with command("progress") as (course, best, console):
        print_progress(course, best.read(), console)


@app.command()
def hint(
    part: Parts = None,
    task: Annotated[int | None, typer.Option(help="A section; else the first open one.")] = None,
) -> None:
    """Show the next hint for a section."""
    with command("hint", STOPPED) as (course, best, console):
        chosen = choose(course, part or [], best.read())
        again = f"make hint PART={chosen.number}"
        if task is None:
            dag_file(chosen)
            task = open_section(graded(course, chosen, best), chosen, console)
        elif 1 <= task <= len(chosen.task):
            again += f" TASK={task}"
        else:
            stop(USAGE, f"part {chosen.number} has sections 1 to {len(chosen.task)}.", "hint")
        hints.give_hint(chosen, task, best, console, again)


def open_section(record: Record, part: Part, console: Console) -> int:
    """The section to hint at. Ends where there is none."""
    result = record.parts[0]
    reason, check = hints.why_no_hint(result, part), first_open(result)
    if check is None:
        console.print(reason)
        raise typer.Exit
    if reason:
        stop(record.exit_code, reason, "hint")
    return check.task


@app.command(name="show")
def show_(part: Parts = None) -> None:
    """Draw a part's DAG as Airflow sees it, beside the picture of the lesson."""
    with command("show") as (course, best, console):
        chosen = choose(course, part or [], best.read())
        dag_file(chosen)
        with Progress(errors) as told, Grader(course=course, listener=told) as grader:
            observation = show.observe(grader, chosen)
        show.print_show(observation, chosen, console)


@app.command(name="solution")
def solution_(part: Parts = None) -> None:
    """Compare a part that passes with its solution."""
    with command("solution", STOPPED) as (course, best, console):
        chosen = choose(course, named(part, "solution"), {})
        file, solved = dag_file(chosen), SOLUTIONS / chosen.slug / chosen.dag_file
        if not solved.is_file():
            where = shown_path(solved)
            raise Problem(f"there is no {where} in this copy of the course.", ENVIRONMENT)
        result = graded(course, chosen, best).parts[0]
        if not all_passed(result):
            raise Problem(
                f"part {chosen.number} has {result.points} of {result.max_points} marks; the "
                f"solution is for comparing, once it passes. "
                f"Until then: make hint PART={chosen.number}"
            )
        solution.print_diff(solution.diff(file, solved), console)


@app.command(name="reset")
def reset_(
    part: Parts = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Begin a part again. The file as it is now is kept beside."""
    with command("reset", "stopped; nothing was changed.") as (course, _, console):
        chosen = choose(course, named(part, "reset"), {})
        file, stub = EXERCISES / chosen.slug / chosen.dag_file, stub_of(chosen)
        name, page = shown_path(file), Page(console)
        if file.is_dir():
            raise Problem(f"{name} is a folder; move it away, then run this again.")
        if reset.is_pristine(file, stub):
            page.line(page.safe(f"{name} is as it was shipped; there is nothing to do."))
            return
        if not yes and not sys.stdin.isatty():
            raise Problem("this asks before it changes a file; in a script, add --yes.", USAGE)
        if not yes and not typer.confirm(f"Put {name} back as it was shipped?", default=False):
            raise Problem("nothing was changed.")
        try:
            kept = reset.reset(file, stub)
        except OSError as error:
            told = f"{name} was not changed: {error.strerror or error}."
            raise Problem(told, ENVIRONMENT) from error
        page.line(page.safe(f"{name} is as it was shipped."))
        if kept:
            page.line(page.safe(f"What stood there is kept in {shown_path(kept)}"))


def named(part: list[str] | None, name: str) -> list[str]:
    """The part, which has to be given. Raises `Problem`."""
    if not part:
        raise Problem(f"say which part: make {name} PART=01", USAGE)
    return part


def stub_of(part: Part) -> bytes:
    """A part's file as it was shipped. Raises `Problem` where it cannot be had."""
    try:
        return stubs.pristine(part)
    except (OSError, KeyError, zipfile.BadZipFile):
        where = shown_path(stubs.STUBS)
        raise Problem(
            f"{where} has no file for part {part.number}; get the course anew.",
            ENVIRONMENT,
        ) from None


@app.command(name="quickcheck")
def quickcheck_() -> None:
    """Prove that this machine can run the course."""
    with (
        command("quickcheck") as (_, _, console),
        canary_run.staged() as folder,
        Grader(cache=False) as grader,
    ):
        canary = quickcheck.Canary(grader, folder)
        if not quickcheck.examine(quickcheck.steps(canary), console):
            raise typer.Exit(ENVIRONMENT)
