"""A small course and records to report on. Nothing here may need Airflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.course import Course
from grader.judge.record import CheckResult, Hashes, PartResult, Record, Versions


@pytest.fixture
def course() -> Course:
    """Three parts; the middle one has three tasks."""
    return Course.model_validate(
        {
            "title": "A small course",
            "part": [
                _part("00_hello", "Hello", 10, ("Greet", 2)),
                _part("01_train", "Train a model", 45, ("Load", 4), ("Train", 4), ("Ship", 6)),
                _part("02_watch", "Watch the data", 40, ("Look", 4)),
            ],
        }
    )


def _part(slug: str, title: str, minutes: int, *tasks: tuple[str, int]) -> dict[str, Any]:
    return {
        "slug": slug,
        "title": title,
        "minutes": minutes,
        "dag_id": slug[3:],
        "dag_file": f"{slug[3:]}.py",
        "task": [{"title": name, "points": points} for name, points in tasks],
    }


MakeCheck = Callable[..., CheckResult]
MakePart = Callable[..., PartResult]
MakeRecord = Callable[..., Record]


@pytest.fixture
def make_check() -> MakeCheck:
    """A check of two marks that passed, unless told otherwise."""

    def make(id: str, task: int = 1, status: str = "passed", **more: Any) -> CheckResult:
        fields: dict[str, Any] = {"title": f"Title of {id}.", "max_points": 2, **more}
        if status != "passed":
            fields.setdefault("blame", "submission")
        fields.setdefault("points", fields["max_points"] if status == "passed" else 0)
        return CheckResult(id=id, task=task, status=status, **fields)

    return make


@pytest.fixture
def make_part(course: Course) -> MakePart:
    """A part of the small course with these checks."""

    def make(number: int, *checks: CheckResult) -> PartResult:
        part = course.part[number]
        return PartResult(
            id=part.slug,
            title=part.title,
            points=sum(check.points for check in checks),
            max_points=part.max_points,
            checks=list(checks),
        )

    return make


@pytest.fixture
def make_record() -> MakeRecord:
    """A record of these parts."""

    def make(*parts: PartResult, submission: str = "exercises") -> Record:
        return Record(
            seed=4711,
            submission=submission,
            points=sum(part.points for part in parts),
            max_points=sum(part.max_points for part in parts),
            hashes=Hashes(submission="a" * 64, checks="b" * 64),
            versions=Versions(grader="0.1.0", python="3.11.9", airflow="3.3.2"),
            parts=list(parts),
        )

    return make


@pytest.fixture
def all_statuses(make_check: MakeCheck, make_part: MakePart, make_record: MakeRecord) -> Record:
    """Part 00 all passed, part 01 with every status and blame that there is."""
    return make_record(
        make_part(0, make_check("greets")),
        make_part(
            1,
            make_check("loads", 1),
            make_check("counts", 1, "failed", message="It counted 3.\nExpected: 4 rows.",
                       location="exercises/01_train/train.py:31"),
            make_check("trains", 2, "not_checked", message="because `counts` did not pass"),
            make_check("scores", 2, "not_checked", message="because `counts` did not pass"),
            make_check("ships", 3, "failed", message="It shipped a bad model."),
            make_check("tells", 3, "error", blame="grader", message="KeyError: 'accuracy'"),
            make_check("waits", 3, "error", blame="environment", message="No space left."),
        ),
    )  # fmt: skip
