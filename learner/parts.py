"""Which part a command is about, and whether its file is there. It must not look into the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.api import shown_path
from grader.cli import EXERCISES, USAGE
from grader.course import Course, Part
from grader.report import PartMarks

SUBMISSION = 1


class Problem(Exception):
    """A command cannot go on. The text is one line that says what to do."""

    def __init__(self, line: str, code: int = SUBMISSION):
        super().__init__(line)
        self.code = code


def choose(course: Course, wanted: list[str], marks: Mapping[str, PartMarks]) -> Part:
    """The part that was asked for, else the first that is not complete, else the last.

    Raises `Problem` for a part that is none, and for several.
    """
    if not wanted:
        return next((p for p in course.part if not complete(p, marks)), course.part[-1])
    if len(wanted) > 1:
        raise Problem("name one part; this works on one at a time.", USAGE)
    try:
        return course.select(wanted)[0]
    except KeyError:
        known = ", ".join(course.numbers)
        raise Problem(f"there is no part {wanted[0]!r}; the parts are {known}.", USAGE) from None


def complete(part: Part, marks: Mapping[str, PartMarks]) -> bool:
    """Whether the last grading on record gave full marks."""
    return part.slug in marks and marks[part.slug].complete


def dag_file(part: Part) -> Path:
    """The learner's file. Raises `Problem` where there is none."""
    path = EXERCISES / part.slug / part.dag_file
    if path.is_dir():
        raise Problem(
            f"{shown_path(path)} is a folder; the DAG file belongs there. "
            f"Move it away, then: make reset PART={part.number}"
        )
    if not path.is_file():
        raise Problem(
            f"there is no file {shown_path(path)}; this puts the one that was shipped back: "
            f"make reset PART={part.number}"
        )
    return path
