"""Marks one class from what was collected to what is written. It must not judge or render."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from classroom.assemble import assemble
from classroom.journal import Entry, Journal
from classroom.marking import Settings, mark_sessions
from classroom.outputs import write_all
from classroom.outputs.figures import counted, figures
from classroom.outputs.standing import marks_of
from classroom.plan import sessions, units_by_owner
from classroom.screen import Screen
from classroom.submissions import Collected
from grader.course import Course

JOURNAL = "marks.jsonl"


def mark_class(
    course: Course,
    collected: Collected,
    settings: Settings,
    out: Path,
    console: Console,
    errors: Console,
) -> int:
    """Mark what the journal does not have yet, and write everything up.

    Returns how many learners' parts have no mark. Raises `InUse`, `EnvironmentProblem`, `OSError`.
    """
    parts = list(course.part)
    learners, sources = collected.learners, collected.sources
    units = units_by_owner(learners, sources, parts, settings.seed, settings.sandbox)
    out.mkdir(parents=True, exist_ok=True)
    with Journal(out / JOURNAL) as journal:
        todo = sessions(units, judged(journal.entries))
        left = sum(len(session.units) for session in todo)
        different = len({unit.key for unit in units.values()})
        console.print(
            f"{counted(len(learners), 'learner')}, {counted(len(units), 'part')}, "
            f"{different} of them different; {left} to be marked."
        )
        if todo:
            with Screen(errors, {learner.id: learner.name for learner in learners}) as screen:
                screen.expect(left)
                asyncio.run(mark_sessions(todo, settings, journal, screen))
        entries = journal.entries
    result = assemble(
        course, parts, learners, sources, units, entries, settings.seed, settings.sandbox
    )
    gone = write_all(result, sources, course, out)
    if gone:
        console.print(f"Gone from the class, so their files were removed: {', '.join(gone)}.")
    found = figures(result)
    console.print(found.line())
    console.print(f"Marks are in {out / 'gradebook.csv'}; open {out / 'class.html'} to read on.")
    return found.unmarked


def judged(entries: Mapping[str, Entry]) -> set[str]:
    """The keys of marks that stay. What the grader or the machine lost is tried anew."""
    return {key for key, entry in entries.items() if marks_of(entry.result) is not None}
