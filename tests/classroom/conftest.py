"""A small course and marked classes of it, made up. Nothing here may need Airflow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hostile_words import HOSTILE

from classroom.outputs.own_code import Given
from classroom.outputs.study import Study, study
from classroom.result import Basis, ClassResult, HandedIn, Learner, Marked
from grader.course import Course
from grader.judge.record import CheckResult, Hashes, PartResult, Record, Versions

MESSAGE = (
    'Ran: scenario "clean data", run of 2026-03-02 09:00\n'
    "Happened: `load` returned 3.\n"
    "Expected: `load` returns 4."
)
STUB = b"def load():\n    raise NotImplementedError('TODO 1')\n"


@pytest.fixture
def course() -> Course:
    """Two parts; the second has two tasks."""
    return Course.model_validate(
        {
            "title": "A small course",
            "part": [
                _part("00_hello", "Hello, you", ("Greet", 2)),
                _part("01_train", "Train a model", ("Load", 4), ("Ship", 6)),
            ],
        }
    )


def _part(slug: str, title: str, *tasks: tuple[str, int]) -> dict[str, Any]:
    return {
        "slug": slug,
        "title": title,
        "minutes": 10,
        "dag_id": slug[3:],
        "dag_file": f"{slug[3:]}.py",
        "task": [{"title": name, "points": points} for name, points in tasks],
    }


MakeCheck = Callable[..., CheckResult]
MakeMarked = Callable[..., Marked]
MakeClass = Callable[..., ClassResult]


@pytest.fixture
def make_check() -> MakeCheck:
    """A check of two marks that passed, unless told otherwise."""

    def make(id: str, task: int = 1, status: str = "passed", **more: Any) -> CheckResult:
        fields: dict[str, Any] = {"title": f"Title of {id}.", "max_points": 2, **more}
        if status != "passed":
            fields.setdefault("blame", "submission")
            fields.setdefault("message", MESSAGE)
        fields.setdefault("points", fields["max_points"] if status == "passed" else 0)
        return CheckResult(id=id, task=task, status=status, **fields)

    return make


@pytest.fixture
def make_marked(course: Course, make_check: MakeCheck) -> MakeMarked:
    """A learner by id; the checks of each part (by number), else all passed, and fields of the
    learner. `files` are the bytes by number; a part without any is missing if `missing` names it.
    """

    def make(
        id: str = "jana",
        hello: list[CheckResult] | None = None,
        train: list[CheckResult] | None = None,
        *,
        files: dict[int, bytes] | None = None,
        missing: tuple[int, ...] = (),
        notes: dict[int, str] | None = None,
        **fields: Any,
    ) -> Marked:
        passed = {
            0: [make_check("greets")],
            1: [make_check("loads", 1, max_points=4), make_check("ships", 2, max_points=6)],
        }
        given = {0: hello, 1: train}
        parts, handed_in = [], []
        for number, part in enumerate(course.part):
            checks = passed[number] if given[number] is None else given[number]
            assert checks is not None
            data = (files or {}).get(number, f"# {id} {number}\n".encode())
            there = number not in missing
            parts.append(
                PartResult(
                    id=part.slug,
                    title=part.title,
                    points=sum(check.points for check in checks),
                    max_points=part.max_points,
                    checks=checks,
                )
            )
            handed_in.append(
                HandedIn(
                    part=part.slug,
                    file=f"{id}/{part.slug}/{part.dag_file}" if there else None,
                    sha256=hashlib.sha256(data).hexdigest() if there else None,
                    notes=(notes[number],) if notes and number in notes else (),
                )
            )
        learner = Learner(
            **{"id": id, "name": id.title(), "source": id, "handed_in": tuple(handed_in), **fields}
        )
        record = Record(
            seed=7,
            submission=id,
            points=sum(part.points for part in parts),
            max_points=sum(part.max_points for part in parts),
            hashes=Hashes(submission="a" * 64, checks="b" * 64),
            versions=Versions(grader="0.1.0", python="3.11.9", airflow="3.3.2"),
            parts=parts,
        )
        return Marked(learner=learner, record=record, seconds={"00_hello": 1.25, "01_train": 2.5})

    return make


@pytest.fixture
def make_class(course: Course) -> MakeClass:
    """A class of these learners."""

    def make(*learners: Marked, **fields: Any) -> ClassResult:
        basis = [
            Basis(part=part.slug, checks="c" * 64, entry="e" * 64, shipped="s" * 64)
            for part in course.part
        ]
        known = {"title": course.title, "seed": 7, "sandbox": "bwrap", "engine": "f" * 64}
        return ClassResult(**{**known, "basis": tuple(basis), "learners": learners, **fields})

    return make


@pytest.fixture
def look(course: Course) -> Callable[..., Study]:
    """The study of a class. Files are those that `files` holds by learner and slug, else one line
    of their own.
    """

    def look(result: ClassResult, files: dict[tuple[str, str], bytes] | None = None) -> Study:
        sources = {
            (marked.learner.id, handed_in.part): b"mine = 1\n"
            for marked in result.learners
            for handed_in in marked.learner.handed_in
            if handed_in.file is not None
        }
        given = {part.slug: Given(STUB, b"") for part in course.part}
        return study(result, {**sources, **(files or {})}, given)

    return look


@pytest.fixture
def varied(make_marked: MakeMarked, make_check: MakeCheck, make_class: MakeClass) -> ClassResult:
    """A class with every status, every blame, somebody hostile and somebody who did nothing."""
    wrong = [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, "not_checked", max_points=6, message="not checked because x"),
    ]
    lost = [
        make_check("loads", 1, "error", blame="grader", max_points=4, message="Lost."),
        make_check("ships", 2, "error", blame="environment", max_points=6, message="No space."),
    ]
    evil = [
        make_check("loads", 1, "failed", max_points=4, message=HOSTILE, location=HOSTILE),
        make_check("ships", 2, max_points=6),
    ]
    gone = [make_check("greets", 1, "failed", message="Happened: There is no such file.")]
    return make_class(
        make_marked("ada"),
        make_marked("evil", train=evil, name=HOSTILE, notes={1: HOSTILE}, number="42"),
        make_marked("lost", train=lost),
        make_marked("nobody", hello=gone, missing=(0,), notes={0: "Nothing was found."}),
        make_marked("omar", train=wrong),
        make_marked("tara", train=wrong),
    )
