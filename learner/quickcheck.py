"""`make quickcheck`: proves in seconds that this machine can run the course, before anybody blames
their code. Each step is one line.

It must not look at a learner's file.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.api import Grader
from grader.judge.check import NotPassed
from grader.judge.problems import load_problem, scenario_problem
from grader.judge.view import Observation
from grader.observe.worker_client import EnvironmentProblem
from grader.report.page import Page
from grader.scenario import Scenario
from learner import canary_run, machine
from learner.machine import REINSTALL, Found

Step = Callable[[], Found]
FIRST = "mend that first"
WIDTH = 14


class Canary:
    """Loads Airflow, then has the canary observed. `folder` is where it is staged."""

    def __init__(self, grader: Grader, folder: Path):
        self._grader, self._folder = grader, folder
        self._loads = False

    def airflow(self) -> Found:
        """Whether the worker can load Airflow, and a DAG file."""
        if not machine.work_folder().ok:
            return Found(False, "not tried, because .work cannot be written to", FIRST)
        started = time.perf_counter()
        problem = load_problem(self._observe(canary_run.LOAD))
        if problem is not None:
            return Found(False, problem.happened, REINSTALL)
        self._loads = True
        seconds = time.perf_counter() - started
        return Found(True, f"{importlib.metadata.version('apache-airflow')} in {seconds:.1f} s")

    def canary(self) -> Found:
        """Whether a DAG does here what it does everywhere."""
        if not self._loads:
            return Found(False, "not tried, because Airflow does not load", FIRST)
        started = time.perf_counter()
        seen = self._observe(canary_run.SONG)
        problem = scenario_problem(seen)
        try:
            told = [problem.happened] if problem else list(canary_run.story(seen))
        except NotPassed as other:
            told = [other.happened]
        wrong = first_difference(canary_run.STORY, told)
        if wrong:
            return Found(False, wrong, "show this to whoever teaches the course")
        seconds = time.perf_counter() - started
        return Found(True, f"2 tasks, 1 retry, 6 hours in {seconds:.1f} s, as it should be")

    def _observe(self, scenario: Scenario) -> Observation:
        part = canary_run.PART
        seen = self._grader.observe(self._folder, [part], {part.slug: [scenario]})
        return seen[part.slug, scenario.name]


def first_difference(expected: Iterator[str] | tuple[str, ...], told: list[str]) -> str:
    """The first line that is not as expected; empty if all are."""
    for wanted, found in zip_longest(expected, told):
        if wanted != found:
            return f"it did: {found or 'nothing more'}; it should: {wanted or 'be at its end'}"
    return ""


def steps(canary: Canary) -> dict[str, Step]:
    """All steps by name, in order: what is quick and tells most comes first."""
    return {
        "Python": machine.python,
        "packages": machine.packages,
        "clock": machine.clock,
        "free disk": machine.disk,
        "free memory": machine.memory,
        "folder .work": machine.work_folder,
        "local servers": machine.local_servers,
        "Airflow": canary.airflow,
        "canary DAG": canary.canary,
    }


def taken(step: Step) -> Found:
    """Take a step; what it raises is what was found."""
    try:
        return step()
    except EnvironmentProblem as problem:
        return Found(False, str(problem), REINSTALL)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return Found(False, f"{error.strerror or error}{place}", "mend that, and run this again")


def examine(todo: dict[str, Step], console: Console) -> bool:
    """Take all steps and print a line for each as it ends; whether all are fine."""
    page, wrong = Page(console), 0
    for name, step in todo.items():
        with console.status(f"{name} ..."):
            found = taken(step)
        sign = page.symbol("✓", "green") if found.ok else page.symbol("✗", "bold red")
        page.line(page.safe(found.told), Text.assemble(sign, " ", name.ljust(WIDTH)))
        if found.advice:
            page.line(page.safe(found.advice), Text(f"  {'what to do:':{WIDTH}}", "bold"))
        wrong += not found.ok
    page.blank()
    if wrong:
        count = f"{wrong} of {len(todo)} steps do" if wrong > 1 else "One step does"
        page.line(Text(f"{count} not work here. It is this machine, not your code.", "bold"))
    else:
        page.line(Text("All is well. What does not pass is not this machine's fault.", "green"))
    return not wrong
