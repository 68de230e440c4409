"""Measures the grader as a learner starts it, in a copy of the course with a cache of its own.

The copy keeps the benchmark away from the learner's cache, and from edits made while it runs. It
must not reach into the grader: it starts processes and looks at the clock.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

COPIED = ("bench", "exercises", "grader", "solutions")
TIMING = re.compile(r"^\s*(\S.*?)\s+[━╌#.]+\s+(\d+\.\d\d) s$", re.MULTILINE)
PATIENCE = 1800


class BenchProblem(Exception):
    """A measurement that would say nothing, because what was measured did not work."""


@dataclass(frozen=True)
class Lap:
    """One process from start to end: real seconds, and CPU seconds of it and all below it."""

    seconds: float
    cpu: float
    phases: dict[str, float] = field(default_factory=dict)
    scenarios: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """Several laps of the same thing."""

    laps: list[Lap]

    @property
    def seconds(self) -> float:
        return statistics.median(lap.seconds for lap in self.laps)

    @property
    def cpu(self) -> float:
        return statistics.median(lap.cpu for lap in self.laps)

    @property
    def phases(self) -> dict[str, float]:
        """Median seconds of the lines of `--timings` that all laps have."""
        return medians([lap.phases for lap in self.laps])

    @property
    def scenarios(self) -> dict[str, float]:
        """Median seconds of each scenario, by part and name."""
        return medians([lap.scenarios for lap in self.laps])


def medians(laps: list[dict[str, float]]) -> dict[str, float]:
    """Medians of what all laps have."""
    common = [name for name in laps[0] if all(name in lap for lap in laps)]
    return {name: statistics.median(lap[name] for lap in laps) for name in common}


def timed(
    command: list[str],
    folder: Path,
    environment: dict[str, str],
    what: str,
    *,
    code: int | None = 0,
) -> Lap:
    """Run a command. Raises `BenchProblem` unless it ends with `code`, if one is given."""
    before, started = cpu_below(), time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE,
    )
    seconds, cpu = time.perf_counter() - started, cpu_below() - before
    if code is not None and done.returncode != code:
        last = "\n".join(done.stdout.strip().splitlines()[-25:])
        raise BenchProblem(f"{what} ended with {done.returncode}:\n{last}")
    phases = {name: float(text) for name, text in TIMING.findall(done.stdout)}
    return Lap(seconds, cpu, {k: v for k, v in phases.items() if not k.startswith("scenario: ")})


def cpu_below() -> float:
    """CPU seconds of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def repeat(times: int, measure: Callable[[], Lap]) -> Figure:
    """Measure the same thing several times."""
    return Figure([measure() for _ in range(times)])


class Ours:
    """A copy of the course below `home`, and the grader's command in it."""

    def __init__(self, root: Path, home: Path, environment: dict[str, str], seed: int, work: Path):
        self.folder = home / "course"
        self._environment, self._seed, self._changes = environment, seed, 0
        self._work = self.folder / work
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in COPIED:
            nothing = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / name, self.folder / name, ignore=nothing)
        shutil.copy(root / "pyproject.toml", self.folder)

    def grade(self) -> Lap:
        """`python -m grader grade`, all parts."""
        seed = ["--seed", str(self._seed)]
        command = ["-m", "grader", "grade", "--submission", "solutions", "--timings", *seed]
        return self._python(command, "grading the solutions")

    def cold(self) -> Lap:
        """Nothing cached; the metadata database's template is there."""
        cache = self._work / "cache"
        if not cache.is_dir():
            raise BenchProblem(f"there is no cache to drop in {cache}")
        shutil.rmtree(cache)
        lap = self.grade()
        # The report breaks long lines; the grader's own note of the same figures has whole names.
        noted = json.loads((self._work / "durations.json").read_text("utf-8"))
        return replace(lap, scenarios={str(k): float(v) for k, v in noted.items()})

    def changed(self, part: str, dag_file: str) -> Lap:
        """One more comment line in the solution of one part."""
        self._changes += 1
        with open(self.folder / "solutions" / part / dag_file, "a", encoding="utf-8") as file:
            file.write(f"# The benchmark's change number {self._changes}.\n")
        return self.grade()

    def tell(self, stories: Path, folders: Path) -> None:
        """Write down the scenarios and stage them for the other ways."""
        command = ["-m", "bench.stories", "tell", str(stories), "--folders", str(folders)]
        self._python([*command, "--seed", str(self._seed)], "telling the scenarios")

    def same(self, stories: Path) -> Lap:
        """Just these scenarios, nothing cached, from the start of the process to its end."""
        command = ["-m", "bench.stories", "observe", str(stories), "--seed", str(self._seed)]
        return self._python(command, "observing the same runs")

    def _python(self, arguments: list[str], what: str) -> Lap:
        return timed([sys.executable, *arguments], self.folder, self._environment, what)
