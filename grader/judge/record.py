"""The one result record that every report is a rendering of.

It must not know how it is shown, and it holds nothing that a learner may not read.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

VERSION: Final = 1

Status = Literal["passed", "failed", "not_checked", "error"]
Blame = Literal["submission", "grader", "environment"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckResult(_Record):
    """The verdict of one check. `location` is `path:line` in the submission, for a person."""

    id: str
    task: int
    title: str
    status: Status
    blame: Blame | None = None
    message: str | None = None
    location: str | None = None
    points: int
    max_points: int


class PartResult(_Record):
    """The verdicts of one part, in the order in which its checks are written."""

    id: str
    title: str
    points: int
    max_points: int
    checks: list[CheckResult]


class Versions(_Record):
    """What the marks were made with."""

    grader: str
    python: str
    airflow: str


class Hashes(_Record):
    """SHA-256 of the marked files of the submission and of the hidden checks."""

    submission: str
    checks: str


class Record(_Record):
    """All marks of one grading."""

    version: Literal[1] = VERSION
    seed: int
    submission: str
    points: int
    max_points: int
    hashes: Hashes
    versions: Versions
    parts: list[PartResult]

    @property
    def exit_code(self) -> int:
        """0 all passed, 1 the submission, 3 the environment, 4 the grader."""
        open_checks = [c for part in self.parts for c in part.checks if c.status != "passed"]
        blames = {c.blame for c in open_checks}
        if "grader" in blames:
            return 4
        if "environment" in blames:
            return 3
        complete = all(part.checks for part in self.parts) and bool(self.parts)
        return 0 if complete and not open_checks and self.points == self.max_points > 0 else 1
