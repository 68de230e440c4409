"""Grading from Python: collect, observe, judge, and one record of it all.

The command line and the tests call this; it adds no rule of its own to what the rooms do.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pytest
from pydantic import RootModel

import grader
from grader import apart, collect
from grader.apart import GraderProblem
from grader.collect import Declared, DeclaredCheck
from grader.course import ROOT, Course, Part, load_course
from grader.judge.plugin import Judge, Observations, Verdict
from grader.judge.record import CheckResult, Hashes, PartResult, Record, Versions
from grader.judge.view import Observation
from grader.observe.observer import Listener, Observer
from grader.observe.sandbox import Lock, no_sandbox
from grader.observe.staging import read_source
from grader.scenario import Limits, Scenario
from grader.sealed import plain_digest
from grader.sealed.collector import SealedFiles

HOME = ROOT / ".work"
MISSING = Verdict("error", "grader", "The grader itself failed here, not you: no verdict was made.")
PYTEST_ARGUMENTS = [
    "--rootdir", str(ROOT),
    "--confcutdir", str(collect.CHECKS),
    "-c", str(ROOT / "pyproject.toml"),
    "-p", "no:cacheprovider",
    "-p", "no:faulthandler",
    "-p", "no:terminal",
    "-p", "no:capture",
    "-p", "no:logging",
    "-p", "no:anyio",
    "--assert", "plain",
]  # fmt: skip


class Silent:
    """A listener that says nothing."""

    def stage(self, text: str) -> None: ...
    def expect(self, count: int) -> None: ...
    def started(self, part: str, scenario: str) -> None: ...
    def finished(self, part: str, scenario: str, seconds: float, cached: bool) -> None: ...


class Grader:
    """Grades submissions with one warm worker. A context manager: leaving it ends the worker.

    `limits` replaces those of `course.toml`; `cache` False neither reads nor writes transcripts;
    `lock` is the sandbox.
    """

    def __init__(
        self,
        *,
        jobs: int | None = None,
        limits: Limits | None = None,
        cache: bool = True,
        home: Path = HOME,
        course: Course | None = None,
        listener: Listener | None = None,
        lock: Lock = no_sandbox,
    ):
        self.course = course or load_course()
        self._limits = limits
        self._listener = listener or Silent()
        self._observer = Observer(
            home,
            ROOT / "exercises",
            jobs=jobs or usable_cores(),
            cache=cache,
            listener=self._listener,
            lock=lock,
        )
        self.timings: dict[str, float] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observer.stop()

    def warm_up(self) -> None:
        """Load Airflow now, so that the next grading need not. Raises `EnvironmentProblem`."""
        self._observer.warm_up()

    @property
    def warm(self) -> bool:
        """Whether Airflow is loaded."""
        return self._observer.warm

    def grade(self, submission: Path, parts: Iterable[str] = (), *, seed: int = 0) -> Record:
        """Mark a submission. Raises `KeyError` for an unknown part, `EnvironmentProblem`."""
        started = time.perf_counter()
        chosen = self.course.select(list(parts))
        declared = collect.declared(chosen, seed)
        self.timings["draw the scenarios"] = time.perf_counter() - started
        drawn = {slug: list(of_part.scenarios) for slug, of_part in declared.items()}
        observations = self.observe(submission, chosen, drawn)
        started = time.perf_counter()
        self._listener.stage("Judging")
        verdicts = judge(chosen, observations)
        self.timings |= self._observer.timings
        self.timings["judge"] = time.perf_counter() - started
        return make_record(submission, chosen, verdicts, seed, declared)

    def observe(
        self, submission: Path, parts: list[Part], drawn: dict[str, list[Scenario]]
    ) -> Observations:
        """What becomes of the submission in each scenario."""
        wanted = [(part, drawn[part.slug]) for part in parts]
        transcripts = self._observer.observe(submission, wanted, self._limits)
        return {
            (part.slug, scenario.name): Observation(
                scenario, transcripts[part.slug, scenario.name], part.dag_id, part.several_dags
            )
            for part, scenarios in wanted
            for scenario in scenarios
        }


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Verdicts(RootModel[list[tuple[str, str, Verdict]]]):
    """Slug, check and verdict of all that was judged."""


def judge(parts: list[Part], observations: Observations) -> dict[tuple[str, str], Verdict]:
    """Run the hidden checks, in a child process. What has no verdict did not pass."""
    verdicts = apart.run(lambda: run_checks(parts, observations), Verdicts)
    return {(slug, check): verdict for slug, check, verdict in verdicts.root}


def run_checks(parts: list[Part], observations: Observations) -> Verdicts:
    """Run the hidden checks in this process. Raises `GraderProblem` if not all could be found."""
    for part in parts:
        collect.check_module(part)
    plugin = Judge(lambda slugs: observations)
    files = [str(collect.check_file(part)) for part in parts]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*PYTEST_ARGUMENTS, *files], plugins=[plugin, SealedFiles()])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GraderProblem(f"the checks could not be run ({code}):\n{said.getvalue()}")
    return Verdicts([(slug, check, verdict) for (slug, check), verdict in plugin.verdicts.items()])


def make_record(
    submission: Path,
    parts: list[Part],
    verdicts: dict[tuple[str, str], Verdict],
    seed: int,
    declared: dict[str, Declared] | None = None,
) -> Record:
    """All verdicts with their points. A check without a verdict is the grader's failure.

    `declared` is asked for anew if it is not given.
    """
    declared = declared or collect.declared(parts, seed)
    results = [
        part_result(submission, part, verdicts, declared[part.slug].checks) for part in parts
    ]
    sources = [read_source(submission, part).data or b"" for part in parts]
    return record_of(shown_path(submission), parts, results, sources, seed)


def record_of(
    submission: str,
    parts: list[Part],
    results: list[PartResult],
    sources: Iterable[bytes],
    seed: int,
) -> Record:
    """The record of parts that were marked from `sources`, by what is installed here."""
    return Record(
        seed=seed,
        submission=submission,
        points=sum(r.points for r in results),
        max_points=sum(r.max_points for r in results),
        hashes=Hashes(
            submission=hash_of(sources),
            checks=checks_hash(parts),
        ),
        versions=Versions(
            grader=grader.__version__,
            python=platform.python_version(),
            airflow=importlib.metadata.version("apache-airflow"),
        ),
        parts=results,
    )


def checks_hash(parts: Iterable[Part]) -> str:
    """SHA-256 of the hidden checks of some parts: the same for plain and for sealed ones."""
    return hash_of(plain_digest(file) for part in parts for file in collect.check_files(part))


def part_result(
    submission: Path,
    part: Part,
    verdicts: dict[tuple[str, str], Verdict],
    declared: Iterable[DeclaredCheck] | None = None,
) -> PartResult:
    """One part's checks; each task's points shared equally by its checks.

    `declared` is asked for anew if it is not given.
    """
    declared = collect.checks(part) if declared is None else list(declared)
    per_task = {n: sum(c.task == n for c in declared) for n in range(1, len(part.task) + 1)}
    checks = []
    for check in declared:
        verdict = verdicts.get((part.slug, check.id), MISSING)
        worth = part.task[check.task - 1].points // per_task[check.task]
        file = shown_path(submission / part.slug / part.dag_file)
        checks.append(
            CheckResult(
                id=check.id,
                task=check.task,
                title=check.title,
                status=verdict.status,
                blame=verdict.blame,
                message=verdict.message,
                location=located(file, verdict),
                points=worth if verdict.status == "passed" else 0,
                max_points=worth,
            )
        )
    return PartResult(
        id=part.slug,
        title=part.title,
        points=sum(c.points for c in checks),
        max_points=sum(c.max_points for c in checks),
        checks=checks,
    )


def located(file: str, verdict: Verdict) -> str | None:
    """`path:line`, or the path alone, where the submission is to blame."""
    if verdict.status != "failed":
        return None
    return f"{file}:{verdict.line}" if verdict.line else file


def shown_path(path: Path) -> str:
    """A path as a person would type it: relative to where they are, if it is below."""
    path = Path(os.path.abspath(path))
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def hash_of(pieces: Iterable[bytes]) -> str:
    """SHA-256 over pieces, in order."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()
