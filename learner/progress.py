"""`make progress`: how far a learner is, how long the rest takes, and what comes next.

It must not grade: it shows what the last gradings left on record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import EXERCISES
from grader.course import Course, Part
from grader.report import PartMarks
from grader.report.page import Page
from learner.parts import complete


def minutes_left(part: Part, marks: Mapping[str, PartMarks]) -> int:
    """A part's minutes by the share of its marks that is missing: whole ones, 0 only if none is."""
    noted = marks.get(part.slug)
    share = noted.points / noted.of if noted and noted.of else 0.0
    return math.ceil(part.minutes * (1 - share))


def print_progress(course: Course, marks: Mapping[str, PartMarks], console: Console) -> None:
    """A table of all parts, the sum, and the one to do next."""
    coming = next((p for p in course.part if not complete(p, marks)), None)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, right in (("Part", 0), ("Now", 1), ("Best", 1), ("Minutes left", 1), ("", 0)):
        table.add_column(heading, justify="right" if right else "left", no_wrap=bool(right))
    for part in course.part:
        table.add_row(*_row(part, marks, part is coming))
    table.add_row()
    table.add_row(*_total(course, marks))
    console.print()
    console.print(table)
    console.print()
    for line in _next_step(coming, marks):
        Page(console).line(Text(line))


def _row(part: Part, marks: Mapping[str, PartMarks], coming: bool) -> list[Text]:
    noted = marks.get(part.slug, PartMarks())
    state = "done" if complete(part, marks) else "next" if coming else ""
    graded = f"{noted.points}/{noted.of}" if noted.when else "-"
    best = f"{min(noted.best, noted.of)}/{noted.of}" if noted.when else "-"
    style = {"done": "green", "next": "bold"}.get(state, "")
    state += "; edited since" if edited_since(part, noted) else ""
    cells = (f"{part.number}  {part.title}", graded, best, str(minutes_left(part, marks)))
    return [*(Text(cell, style) for cell in cells), Text(state.removeprefix("; "), style)]


def _total(course: Course, marks: Mapping[str, PartMarks]) -> list[Text]:
    known = [marks.get(part.slug, PartMarks()) for part in course.part]
    most = sum(part.max_points for part in course.part)
    best = sum(min(noted.best, noted.of) for noted in known)
    left = sum(minutes_left(part, marks) for part in course.part)
    cells = ("Total", f"{sum(n.points for n in known)}/{most}", f"{best}/{most}", str(left))
    return [Text(cell, "bold") for cell in cells]


def _next_step(coming: Part | None, marks: Mapping[str, PartMarks]) -> list[str]:
    if coming is None:
        return ["All parts have full marks. Well done."]
    told = f"Next: part {coming.number}, {coming.title}, in exercises/{coming.slug}/README.md"
    lines = [told, f"make watch PART={coming.number} grades it each time you save."]
    return lines if marks else ["Nothing is graded yet.", *lines]


def edited_since(part: Part, noted: PartMarks) -> bool:
    """Whether the part's file was saved after it was graded last."""
    file = EXERCISES / part.slug / part.dag_file
    try:
        return noted.when is not None and file.stat().st_mtime > noted.when.timestamp() + 1
    except OSError:
        return False
