"""The gradebook as CSV, for a learning platform to import and a spreadsheet to open.

Canvas reads the columns in this order and knows learners by `ID`; the second row is its own, and
has to be taken out for Moodle, which maps columns by name. Canvas takes `Notes` for its column of
that name, which only teachers see, and leaves `Final Points` alone. It must not judge.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable

from classroom.outputs.insight import Standings
from classroom.outputs.standing import marks_of, notes_of, total_of
from classroom.result import ClassResult, Marked
from grader.course import Course
from grader.report.text import one_line

# `Notes` stands before the marks: where Canvas has that column, it counts from `Section` on.
PEOPLE = "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Notes"
TOTAL = "Final Points"
FORMULA = ("=", "+", "-", "@")
NOTED = {
    "unmarked": "could not be marked",
    "missing": "not handed in",
    "untouched": "as it was shipped",
    "broken": "does not load",
}

Cell = str | int


def gradebook(result: ClassResult, course: Course, standings: Standings) -> bytes:
    """The file. It begins with a byte-order mark: Excel takes it for Latin-1 without one, and the
    platforms skip it. A part or a total that is not known is empty.
    """
    titles = [title(f"{part.number} {part.title}") for part in course.part]
    most = [part.max_points for part in course.part]
    rows: list[list[Cell]] = [
        [*PEOPLE, *titles, TOTAL],
        ["    Points Possible", *[""] * (len(PEOPLE) - 1), *most, sum(most)],
    ]
    rows += [row_of(marked, course, standings) for marked in result.learners]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def row_of(marked: Marked, course: Course, standings: Standings) -> list[Cell]:
    """One learner."""
    learner = marked.learner
    marks = {part.id: marks_of(part) for part in marked.record.parts}
    return [
        cell(learner.name),
        cell(learner.number),
        *("", "", ""),
        cell(" ".join(notes(marked, course, standings))),
        *(known(marks.get(part.slug)) for part in course.part),
        known(total_of(marked.record)),
    ]


def notes(marked: Marked, course: Course, standings: Standings) -> Iterable[str]:
    """What needs the instructor's eye. Who is like whom is left out: this file goes elsewhere."""
    for standing, words in NOTED.items():
        found = [p.number for p in course.part if standings[marked.learner.id, p.slug] == standing]
        if found:
            yield f"Part{'s' if found[1:] else ''} {', '.join(found)}: {words}."
    yield from notes_of(marked)


def known(marks: int | None) -> Cell:
    """A number, or nothing."""
    return "" if marks is None else marks


def title(text: str) -> str:
    """A column's name, which a platform may show as an assignment's."""
    return cell(one_line(text, 200))


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: on one line, and with an apostrophe before
    what would begin one. A semicolon parts cells in half of the world, so it is a comma.
    """
    line = one_line(text, 2000).replace(";", ",")
    first = unicodedata.normalize("NFKC", line[:1])
    return f"'{line}" if first.startswith(FORMULA) else line
