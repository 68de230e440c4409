"""The checks are right: stub 0, solutions full marks, every misconception caught by one check.

Grades the files of `tests/submissions/` with the real engine. It must not know a part by name.
Of several misconceptions for one task only the first is graded, unless `MATRIX=all` is set.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from grader import collect
from grader.api import Grader
from grader.course import ROOT, Part, load_course
from grader.judge.record import CheckResult, PartResult

COURSE = load_course()
FAILS = re.compile(r"fails_([a-z0-9_]+?)__[a-z0-9_]+\.patch")
SEED = 0
ALL = os.environ.get("MATRIX") == "all"
LETTERS = {
    "passed": "[green]+[/]",
    "failed": "[bold red]F[/]",
    "not_checked": "[dim].[/]",
    "error": "[bold red]E[/]",
}


@dataclass(frozen=True)
class Case:
    """One submission for one part. `fails` is the only check that it may fail."""

    part: Part
    source: Path
    fails: str | None = None

    @property
    def name(self) -> str:
        """What the matrix calls it."""
        where = self.source.parent.parent.name
        return where if where in ("exercises", "solutions") else self.source.stem

    def __str__(self) -> str:
        return f"{self.part.number}-{self.name}"

    def write(self, folder: Path) -> Path:
        """Lay the submission out as a learner's folder and return it."""
        target = folder / self.part.slug / self.part.dag_file
        target.parent.mkdir(parents=True)
        if self.source.suffix == ".patch":
            shutil.copyfile(ROOT / "solutions" / self.part.slug / self.part.dag_file, target)
            apply_patch(self.source, target.parent)
        else:
            shutil.copyfile(self.source, target)
        return folder


def apply_patch(patch: Path, folder: Path) -> None:
    """Apply with git, which a reader of this course has, outside of any repository."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env["GIT_CEILING_DIRECTORIES"] = str(folder.resolve().parent)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(patch)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{patch.name} does not apply to the solution: {done.stderr}"


def misconceptions(part: Part) -> list[Case]:
    """The patches of a part, each with the check that its file names."""
    found: list[Case] = []
    task_of = {check.id: check.task for check in collect.checks(part)}
    tried: set[int] = set()
    for path in sorted((ROOT / "tests" / "submissions" / part.slug).glob("*.patch")):
        named = FAILS.fullmatch(path.name)
        assert named, f"{path.name}: fails_<check>__<misconception>.patch"
        if ALL or task_of[named[1]] not in tried:
            tried.add(task_of[named[1]])
            found.append(Case(part, path, fails=named[1]))
    return found


def correct(part: Part) -> list[Case]:
    """The solution and every correct submission that is written differently."""
    others = sorted((ROOT / "tests" / "submissions" / part.slug).glob("correct_*.py"))
    return [Case(part, p) for p in (ROOT / "solutions" / part.slug / part.dag_file, *others)]


STUBS = [Case(part, ROOT / "exercises" / part.slug / part.dag_file) for part in COURSE.part]
CORRECT = [case for part in COURSE.part for case in correct(part)]
MISCONCEPTIONS = [case for part in COURSE.part for case in misconceptions(part)]

Grade = Callable[[Case], PartResult]


@pytest.fixture(scope="module")
def grade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grade]:
    """Grade a case with one warm worker for all of them; each case is graded once."""
    results: dict[Case, PartResult] = {}
    with Grader(jobs=os.cpu_count() or 1) as grader:

        def grade_once(case: Case) -> PartResult:
            if case not in results:
                submission = case.write(tmp_path_factory.mktemp("submission"))
                record = grader.grade(submission, [case.part.number], seed=SEED)
                (results[case],) = record.parts
            return results[case]

        yield grade_once


def told(check: CheckResult) -> str:
    """A verdict as one line, for the message of a failing test."""
    return f"{check.id}: {check.status} - {check.message}"


@pytest.mark.parametrize("case", STUBS, ids=str)
def test_an_untouched_stub_earns_nothing(case: Case, grade: Grade) -> None:
    result = grade(case)
    assert result.points == 0
    for number, _ in enumerate(case.part.task, start=1):
        of_task = [check for check in result.checks if check.task == number]
        assert of_task, f"task {number} has no check"
        passed = [told(c) for c in of_task if c.status not in ("failed", "not_checked")]
        assert not passed
    assert result.checks[0].status == "failed", "the first thing to do is not said"
    assert {c.blame for c in result.checks if c.status == "failed"} == {"submission"}


@pytest.mark.parametrize("case", CORRECT, ids=str)
def test_a_correct_submission_earns_everything(case: Case, grade: Grade) -> None:
    result = grade(case)
    assert [told(check) for check in result.checks if check.status != "passed"] == []
    assert result.points == result.max_points == case.part.max_points


@pytest.mark.parametrize("case", MISCONCEPTIONS, ids=str)
def test_a_misconception_fails_on_the_check_that_names_it(case: Case, grade: Grade) -> None:
    result = grade(case)
    assert case.fails in {check.id for check in result.checks}
    failed = [check for check in result.checks if check.status not in ("passed", "not_checked")]
    assert [check.id for check in failed] == [case.fails], "\n".join(map(told, failed))
    (check,) = failed
    assert (check.status, check.blame) == ("failed", "submission")
    assert check.message, "a learner is told nothing"


@pytest.mark.timeout(900)  # alone, it grades all submissions of a part
@pytest.mark.parametrize("part", COURSE.part, ids=[p.slug for p in COURSE.part])
def test_the_matrix(part: Part, grade: Grade, show_at_the_end: Callable[[str], None]) -> None:
    """Print submissions x checks. In the whole matrix, some submission fails each check."""
    cases = [c for c in (*STUBS, *CORRECT, *MISCONCEPTIONS) if c.part == part]
    graded = [(case, grade(case)) for case in cases]
    checks = [check.id for check in graded[0][1].checks]
    table = Table(title=f"{part.slug}: + passed, F failed, . not checked, E error", box=None)
    table.add_column("submission", overflow="fold")
    for number, _ in enumerate(checks, start=1):
        table.add_column(str(number), justify="right")
    table.add_column("points", justify="right")
    for case, result in graded:
        letters = [LETTERS[check.status] for check in result.checks]
        table.add_row(case.name, *letters, f"{result.points}/{result.max_points}")
    shown = io.StringIO()
    console = Console(file=shown, width=160, highlight=False)
    console.print(table)
    for number, name in enumerate(checks, start=1):
        console.print(f"  {number:>2} {name}", style="dim")
    show_at_the_end(shown.getvalue())

    if not ALL:
        return
    caught = {c.id for _, r in graded for c in r.checks if c.status == "failed"}
    assert set(checks) - caught == set(), "no submission of the matrix fails these checks"
