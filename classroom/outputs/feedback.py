"""What a learner reads: marks by part and task, and the first thing to mend in each part.

It holds nothing of other learners and no check's source. It must not judge.
"""

from __future__ import annotations

from collections.abc import Iterator

from classroom.outputs.insight import Standings
from classroom.outputs.markdown import code, fenced, plain, prose, table
from classroom.outputs.standing import handed_in_of, marks_of, total_of
from classroom.result import Marked
from grader.course import Course, Part
from grader.judge.record import CheckResult, PartResult
from grader.report.terminal import all_passed, first_open, one_problem_for_all
from grader.report.text import lines

NO_MARK = "This part could not be marked. That is not your code's fault; your instructor knows."
WORDS = {"failed": "failed", "not_checked": "not checked"}


def feedback(marked: Marked, course: Course, standings: Standings) -> str:
    """A page of Markdown."""
    parts = {part.id: part for part in marked.record.parts}
    blocks = [f"# {plain(course.title)}", plain(marked.learner.name), overview(marked, course)]
    if marked.learner.notes:
        blocks.append("About what you handed in:")
        blocks.append("\n".join(f"- {prose(note)}" for note in marked.learner.notes))
    for part in course.part:
        if part.slug in parts:
            standing = standings[marked.learner.id, part.slug]
            blocks += of_part(marked, part, parts[part.slug], standing)
    versions, seed = marked.record.versions, marked.record.seed
    blocks.append(
        f"Marked with seed {seed}, Airflow {plain(versions.airflow)}, "
        f"Python {plain(versions.python)}. With `make grade SEED={seed}` you see the same."
    )
    return "\n\n".join(blocks) + "\n"


def overview(marked: Marked, course: Course) -> str:
    """A table of all parts, and the total."""
    results = {part.id: part for part in marked.record.parts}
    rows = [
        (f"{part.number} {plain(part.title)}", *shown(results[part.slug]))
        for part in course.part
        if part.slug in results
    ]
    total = total_of(marked.record)
    rows.append(("**Total**", number(total), str(marked.record.max_points)))
    return table(("Part", "Marks", "of"), rows, right=2)


def of_part(marked: Marked, part: Part, result: PartResult, standing: str) -> Iterator[str]:
    """What there is to say about one part."""
    handed_in = handed_in_of(marked, part.slug)
    yield f"## {part.number} {plain(part.title)}"
    if handed_in.file is None:
        yield f"No file was found for this part. It is called {code(part.dag_file)}."
        return
    yield f"Your file: {code(handed_in.file)}"
    if handed_in.notes:
        yield "\n".join(f"- {prose(note)}" for note in handed_in.notes)
    if marks_of(result) is None:
        yield NO_MARK
        return
    if standing == "untouched":
        yield (
            "The file is as it was shipped. Failing is where you start: read section 1 of "
            f"{code(f'exercises/{part.slug}/README.md')}, then fill in TODO 1."
        )
        return
    yield tasks(part, result)
    if all_passed(result):
        yield "Everything passes. Well done."
        return
    if not one_problem_for_all(result):
        yield "\n".join(
            f"- {WORDS[check.status]}: {prose(check.title)}"
            for check in result.checks
            if check.status in WORDS
        )
    check = first_open(result)
    if check is not None:
        yield from in_full(part, check)


def tasks(part: Part, result: PartResult) -> str:
    """The marks of each task."""
    rows = []
    for n, task in enumerate(part.task, 1):
        points = sum(check.points for check in result.checks if check.task == n)
        rows.append((f"{n}. {plain(task.title)}", str(points), str(task.points)))
    return table(("Task", "Marks", "of"), rows, right=2)


def in_full(part: Part, check: CheckResult) -> Iterator[str]:
    """One check that did not pass, with all that helps to mend it."""
    yield f"First mend this, in task {check.task}: **{prose(check.title)}**"
    yield fenced("\n".join(lines(check.message or "There is no message for this check.")))
    folder = f"exercises/{part.slug}"
    heading = f"{check.task}. {plain(part.task[check.task - 1].title)}"
    where = [f"- Where: {code(check.location)}"] if check.location else []
    yield "\n".join(
        [
            *where,
            f"- Read: {code(f'{folder}/README.md')}, section {heading}",
            f"- Hints: {code(f'{folder}/hints.md')}, the same heading",
            f"- Try again: {code(f'make grade PART={part.number}')}",
        ]
    )


def shown(result: PartResult) -> tuple[str, str]:
    """Marks, and of how many."""
    return number(marks_of(result)), str(result.max_points)


def number(marks: int | None) -> str:
    """A mark, or that there is none."""
    return "not marked" if marks is None else str(marks)
