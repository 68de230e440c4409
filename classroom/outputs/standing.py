"""How a learner stands in a part, read from the verdicts and from what was handed in.

A part that the grader or the environment lost has no mark, which is not the same as none earned. It
must not judge, and it must not know how anything is shown.
"""

from __future__ import annotations

from typing import Literal

from classroom.outputs.own_code import OwnCode
from classroom.result import HandedIn, Marked
from grader.judge.record import CheckResult, PartResult, Record
from grader.report.terminal import one_problem_for_all

Standing = Literal["unmarked", "missing", "untouched", "broken", "begun"]


def standing_of(part: PartResult, handed_in: HandedIn, code: OwnCode) -> Standing:
    """Where a part is: without a mark, not handed in, as it was shipped, not loading, or begun."""
    if marks_of(part) is None:
        return "unmarked"
    if handed_in.file is None:
        return "missing"
    if not part.points and not code.statements:
        return "untouched"
    return "broken" if one_problem_for_all(part) else "begun"


def not_judged(check: CheckResult) -> bool:
    """Whether a check says nothing of the submission, for the grader's or the machine's fault."""
    return check.status == "error" or check.blame in ("grader", "environment")


def marks_of(part: PartResult) -> int | None:
    """The marks of a part, or None where not all of it was judged."""
    if not part.checks or any(not_judged(check) for check in part.checks):
        return None
    return part.points


def total_of(record: Record) -> int | None:
    """All marks, or None where a part has none: a sum without it would be too low."""
    marks = [marks_of(part) for part in record.parts]
    return None if None in marks else record.points


def full_marks(record: Record) -> bool:
    """Whether nothing is missing."""
    return total_of(record) == record.max_points > 0


def handed_in_of(marked: Marked, part: str) -> HandedIn:
    """What was handed in for a part (slug)."""
    return next((h for h in marked.learner.handed_in if h.part == part), HandedIn(part=part))


def reasons(part: PartResult) -> list[str]:
    """Why a part has no mark, each reason once; empty for a part that has one."""
    if marks_of(part) is not None:
        return []
    found = [check.message or "It was not judged." for check in part.checks if not_judged(check)]
    return list(dict.fromkeys(found)) or ["It has no checks."]


def notes_of(marked: Marked) -> list[str]:
    """What was odd about a submission, as sentences."""
    of_parts = [note for handed_in in marked.learner.handed_in for note in handed_in.notes]
    return [*marked.learner.notes, *of_parts]
