"""`python -m bench.whole_class`: how fast a class is marked, how that grows, what memory it takes,
beside a loop of `airflow dags test`; and, with `--kills`, that killing it changes no mark.

It starts the instructor's own command and looks at the clock. It must not fail because something is
slow: it is no test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from bench.class_files import make_class
from bench.figures import machine
from bench.interrupted import mark_interrupted
from bench.ours import BenchProblem, timed
from bench.plain import Plain
from grader.api import HOME, usable_cores
from grader.course import ROOT, Course, load_course

FOLDER = HOME / "bench" / "class"
PARTS = "00 01 02 03 04 05"
DATE = "2026-03-02T06:00:00+00:00"
MIB = 1024 * 1024
errors = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Run:
    """One class, marked from nothing. Seconds are real; memory is of all processes together."""

    learners: int
    seconds: float
    own_mib: float
    all_mib: float

    @property
    def per_minute_and_core(self) -> float:
        return self.learners / (self.seconds / 60) / usable_cores()


class Memory(threading.Thread):
    """Looks at a process and all below it, once a second. Shared pages count once (PSS)."""

    def __init__(self, process: psutil.Process):
        super().__init__(daemon=True)
        self._process = process
        self.own = self.all = 0

    def run(self) -> None:
        while self._process.is_running():
            try:
                own = self._process.memory_full_info().pss
                below = self._process.children(recursive=True)
            except psutil.Error:
                return
            self.own = max(self.own, own)
            self.all = max(self.all, own + sum(map(pss, below)))
            time.sleep(1)


def pss(process: psutil.Process) -> int:
    """Bytes; 0 for one that has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


@dataclass(frozen=True)
class Class:
    """A class that was made up, and how it is to be marked."""

    learners: int
    course: Course
    seed: int
    sandbox: str

    @property
    def submissions(self) -> Path:
        return FOLDER / f"submissions-{self.learners}"

    def make(self) -> None:
        """Write what it handed in."""
        make_class(self.submissions, self.learners, self.course, self.seed)

    def command(self, out: Path) -> list[str]:
        """What `make class` calls. Marks from nothing: what is in `out` is removed."""
        shutil.rmtree(out, ignore_errors=True)
        mark = [sys.executable, "-m", "classroom", "mark", str(self.submissions), str(out)]
        mark += [part.slug for part in self.course.part]
        return [*mark, "--seed", str(self.seed), "--sandbox", self.sandbox]


def mark(made: Class, out: Path) -> Run:
    """Have a class marked."""
    command = made.command(out)
    started = time.perf_counter()
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    memory = Memory(psutil.Process(process.pid))
    memory.start()
    said = process.communicate()[0]
    seconds = time.perf_counter() - started
    if process.returncode:
        raise BenchProblem(f"marking ended with {process.returncode}:\n{said.decode()[-2000:]}")
    return Run(made.learners, seconds, memory.own / MIB, memory.all / MIB)


def kill(made: Class, undisturbed: Path, seconds: float, kills: int) -> dict[str, Any]:
    """Mark the class again, killed at random moments, and compare the gradebooks byte by byte."""
    out = undisturbed.with_name(f"{undisturbed.name}-killed")
    found = mark_interrupted(made.command(out), kills, seconds, Random(made.seed))
    books = [(folder / "gradebook.csv").read_bytes() for folder in (undisturbed, out)]
    return {
        "learners": made.learners,
        "killed": found.killed,
        "left_behind": len(found.outlived),
        "same_gradebook": found.code == 0 and books[0] == books[1],
    }


def loop_over_solutions(course: Course, environment: dict[str, str]) -> dict[str, float]:
    """Seconds by part of `airflow dags test`, once for each solution: the friendliest sample."""
    plain = Plain(HOME / "bench", environment)
    found = {}
    for part in course.part:
        errors.print(f"measuring  airflow dags test {part.dag_id}", style="dim", markup=False)
        home = plain.new_home()
        settings = plain.settings(home, ROOT / "solutions" / part.slug)
        command = [sys.executable, "-m", "airflow", "dags", "test", part.dag_id, DATE]
        found[part.slug] = timed(command, home, settings, part.dag_id, code=None).seconds
    return found


def main(
    sizes: Annotated[str, typer.Option(help="Learners in each class.")] = "20,200",
    seed: Annotated[int, typer.Option(help="Draws the class.")] = 0,
    sandbox: Annotated[str, typer.Option(help="As for `make class`.")] = "auto",
    parts: Annotated[str, typer.Option(help="What each learner handed in.")] = PARTS,
    kills: Annotated[
        int, typer.Option(help="Mark the last class once more, killed that often.")
    ] = 0,
    loop: Annotated[bool, typer.Option(help="Measure Airflow's own way too.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="All figures.")] = None,
) -> None:
    """Measure how fast a class is marked."""
    about = machine(usable_cores())
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "VIRTUAL_ENV")}
    runs, killed = [], {}
    try:
        whole = load_course()
        course = whole.model_copy(update={"part": tuple(whole.select(parts.split()))})
        for count in map(int, sizes.split(",")):
            errors.print(f"measuring  a class of {count}", style="dim", markup=False)
            made, out = Class(count, course, seed, sandbox), FOLDER / f"out-{count}"
            made.make()
            runs.append(mark(made, out))
        if kills:
            errors.print(f"killing    a class of {count}, {kills} times", style="dim", markup=False)
            killed = kill(made, out, runs[-1].seconds, kills)
        plain = loop_over_solutions(course, environment) if loop else {}
    except BenchProblem as problem:
        errors.print(f"bench: {problem}", markup=False)
        raise typer.Exit(1) from None
    about["load_after"] = round(os.getloadavg()[0], 2)
    console = Console(highlight=False)
    show(runs, plain, console)
    if killed:
        same = "the same" if killed["same_gradebook"] else "NOT the same"
        console.print(
            f"Killed {killed['killed']} times and gone on: {same} gradebook, byte by byte; "
            f"{killed['left_behind']} processes were left behind."
        )
    if json_file is not None:
        figures = {"machine": about, "runs": [vars(r) for r in runs], "killed": killed}
        figures["airflow dags test"] = plain
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def show(runs: list[Run], plain: dict[str, float], console: Console) -> None:
    """What was measured, and the ratios."""
    columns = "Learners", "Seconds", "Per learner", "Per minute and core", "Memory", "Its own"
    table = Table(*columns, box=None)
    for run in runs:
        table.add_row(
            str(run.learners),
            f"{run.seconds:.0f}",
            f"{run.seconds / run.learners:.1f} s",
            f"{run.per_minute_and_core:.2f}",
            f"{run.all_mib:.0f} MiB",
            f"{run.own_mib:.0f} MiB",
        )
    console.print(table)
    each = runs[-1].seconds / runs[-1].learners
    if plain:
        total = sum(plain.values())
        console.print(
            f"airflow dags test, each of {len(plain)} solutions once: {total:.0f} s, so "
            f"{total / each:.1f} times as long as marking a learner ({each:.1f} s)."
        )


if __name__ == "__main__":
    typer.run(main)
