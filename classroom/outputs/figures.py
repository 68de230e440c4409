"""A class in a few numbers. It must not judge."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from classroom.outputs.standing import full_marks, marks_of, total_of
from classroom.result import ClassResult


@dataclass(frozen=True)
class Figures:
    """`full` counts learners with all marks, `unmarked` parts of learners without a mark; `median`
    is that of the totals that are known, None if none is.
    """

    learners: int
    full: int
    median: float | None
    most: int
    unmarked: int

    def line(self) -> str:
        """All of it as a sentence."""
        text = f"{counted(self.learners, 'learner')}, {self.full} with full marks"
        if self.median is not None:
            text += f", median {self.median:g} of {self.most}"
        if self.unmarked:
            text += f"; {counted(self.unmarked, 'part')} could not be marked"
        return f"{text}."


def figures(result: ClassResult) -> Figures:
    """The numbers of a class."""
    records = [marked.record for marked in result.learners]
    totals = [total for total in map(total_of, records) if total is not None]
    return Figures(
        learners=len(records),
        full=sum(map(full_marks, records)),
        median=median(totals) if totals else None,
        most=max((record.max_points for record in records), default=0),
        unmarked=sum(marks_of(part) is None for record in records for part in record.parts),
    )


def median_of(result: ClassResult, part: str) -> float | None:
    """The median of one part (slug)."""
    marks = [marks_of(p) for m in result.learners for p in m.record.parts if p.id == part]
    known = [mark for mark in marks if mark is not None]
    return median(known) if known else None


def counted(number: int, word: str) -> str:
    """`1 learner`, `2 learners`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
