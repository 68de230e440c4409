"""The class in Markdown for the summary of a GitHub Actions step, which takes 1 MiB.

It must not judge. It holds names and marks: whoever can see the run can see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classroom.outputs.figures import counted, figures, median_of
from classroom.outputs.insight import Cluster
from classroom.outputs.markdown import fenced, plain, prose, table
from classroom.outputs.standing import full_marks, marks_of, reasons, total_of
from classroom.outputs.study import Study
from classroom.result import ClassResult, Marked
from grader.course import Course, Part
from grader.report.text import lines

LIMIT = 1 << 20  # bytes
CUT = "\n(This is cut here; class.html has all of it.)\n"
CLUSTERS = 5


def step_summary(result: ClassResult, course: Course, study: Study, limit: int = LIMIT) -> bytes:
    """A page of Markdown of at most `limit` bytes. It is cut between two blocks or rows."""
    left = limit - len(CUT.encode())
    kept: list[bytes] = []
    for block in blocks(result, course, study):
        data = f"{block}\n".encode("utf-8", "replace")
        left -= len(data)
        if left < 0:
            return b"".join(kept) + (CUT.encode() if limit >= len(CUT.encode()) else b"")
        kept.append(data)
    return b"".join(kept)


def blocks(result: ClassResult, course: Course, study: Study) -> Iterator[str]:
    """What may be left out from some place on. The rows of the last table come one by one."""
    yield f"# {plain(course.title)}\n\n{plain(figures(result).line())}\n"
    rows = [of_part(result, study, part) for part in course.part]
    head = "Part", "Median", "of", "Full marks", "As shipped", "Not handed in"
    yield table(head, rows, right=5) + "\n"
    common = [cluster for cluster in study.clusters if len(cluster.learners) > 1][:CLUSTERS]
    if common:
        yield "## What went wrong most often\n"
    for cluster in common:
        yield told(cluster)
    lost = list(unmarked(result))
    if lost:
        yield "## Without a mark\n\n" + "\n".join(lost) + "\n"
    yield "## Learners\n"
    yield table(("Learner", *(part.number for part in course.part), "Total"), [], len(rows) + 1)
    for marked in result.learners:
        yield f"| {' | '.join(row_of(marked, course))} |"


def of_part(result: ClassResult, study: Study, part: Part) -> tuple[str, ...]:
    """One row of the table of parts."""
    middle = median_of(result, part.slug)
    stands = [s for (_, slug), s in study.standings.items() if slug == part.slug]
    results = [p for m in result.learners for p in m.record.parts if p.id == part.slug]
    full = sum(marks_of(p) == p.max_points for p in results)
    return (
        f"{part.number} {plain(part.title)}",
        "" if middle is None else f"{middle:g}",
        str(part.max_points),
        str(full),
        str(stands.count("untouched")),
        str(stands.count("missing")),
    )


def told(cluster: Cluster) -> str:
    """One wrong observation."""
    check = cluster.checks[0]
    people = counted(len(cluster.learners), "learner")
    head = f"**{people}**, part {cluster.part[:2]}, task {check.task}: {prose(check.title)}"
    return f"{head}\n\n{fenced(chr(10).join(lines(check.message or '')))}\n"


def unmarked(result: ClassResult) -> Iterator[str]:
    """Who has no mark in which part, and why."""
    for marked in result.learners:
        for part in marked.record.parts:
            for reason in reasons(part):
                yield f"- {plain(marked.learner.name)}, part {part.id[:2]}: {prose(reason)}"


def row_of(marked: Marked, course: Course) -> list[str]:
    """One learner's marks."""
    marks = {part.id: marks_of(part) for part in marked.record.parts}
    total = total_of(marked.record)
    shown = ["" if marks.get(p.slug) is None else str(marks[p.slug]) for p in course.part]
    name = plain(marked.learner.name)
    if total is None:
        return [name, *shown, ""]
    return [name, *shown, f"**{total}**" if full_marks(marked.record) else str(total)]


def append_summary(path: Path, result: ClassResult, course: Course, study: Study) -> None:
    """Append it to the file that GitHub Actions names, as far as that has room.

    Raises `OSError` with a sentence.
    """
    try:
        with open(path, "ab") as file:
            file.write(step_summary(result, course, study, LIMIT - file.tell()))
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"The step summary {path} was not written: {reason}.") from error
