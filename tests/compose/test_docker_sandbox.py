"""Learner code locked into a container: what works without a sandbox does not work there."""

# Fixtures are imported, and named again where they are used.
# ruff: noqa: F401, F811

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import Engine

from grader.api import HOME, Grader
from grader.course import ROOT
from grader.observe.sandbox import LOCKS, missing

sys.path.append(str(ROOT / "tests"))

from hostile_case import course_with
from sandbox_case import (
    TRICKS,
    Grade,
    assert_nothing_is_left,
    assert_stopped,
    grade,
    server,
    victim,
)

# A container has the user who grades, only without any power.
STOPPED = [trick for trick in TRICKS if trick != "is_somebody"]


@pytest.fixture(scope="module")
def grader(engine: Engine) -> Iterator[Grader]:
    """In the engine of the tests. The home is below the course, which the engine can see."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environment.items():
            patch.setenv(name, value)
        assert missing("docker") is None
        with (
            tempfile.TemporaryDirectory(prefix="home-", dir=HOME) as home,
            Grader(jobs=1, cache=False, home=Path(home), lock=LOCKS["docker"]) as grader,
        ):
            grader.course = course_with(20)
            yield grader


def test_solutions_get_the_same_marks(grader: Grader) -> None:
    record = grader.grade(ROOT / "solutions", ["00", "03", "05"])
    assert record.points == record.max_points


@pytest.mark.parametrize("trick", STOPPED)
def test_a_trick_does_not_work(trick: str, grade: Grade, victim: psutil.Popen) -> None:
    assert_stopped(trick, grade, victim)


def test_nothing_is_left_running(grade: Grade) -> None:
    assert_nothing_is_left(f"heron-{os.getpid()}-docker", grade)
