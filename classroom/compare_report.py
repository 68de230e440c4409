"""The comparison of two markings in a terminal. It must not compare."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from classroom.compare import Comparison, MovedCheck, MovedPart
from classroom.outputs.figures import counted
from grader.report.text import one_line

WIDE = 160  # columns of a file or a log


def print_comparison(comparison: Comparison, console: Console) -> None:
    """A table of all that moved, then who and what is in one of the markings only."""
    if not console.is_terminal:
        console.width = WIDE
    if comparison.moved:
        table = Table(
            "Learner", "Part", "Mark", "By", "After", box=SIMPLE, leading=1, pad_edge=False
        )
        for moved in comparison.moved:
            table.add_row(*row(moved))
        console.print(table)
    for words, names in (
        ("New in the class", comparison.came),
        ("Gone from the class", comparison.left),
        ("Parts only in the new marking", comparison.added),
        ("Parts only in the old marking", comparison.dropped),
    ):
        if names:
            console.print(f"{words}: {', '.join(names)}.", soft_wrap=True)
    console.print(last_line(comparison), soft_wrap=True)


def row(moved: MovedPart) -> tuple[Text, ...]:
    """One line of the table."""
    rise = (moved.new or 0) - (moved.old or 0)
    style = "green" if rise > 0 else "red" if rise < 0 else ""
    return (
        Text(one_line(moved.name, 40)),
        Text(moved.part[:2]),
        Text(f"{mark(moved.old)} > {mark(moved.new)}", style=style),
        Text("\n".join(by(check) for check in moved.checks)),
        Text("\n".join(moved.after)),
    )


def by(check: MovedCheck) -> str:
    """A check's marks before and now, its task and its title."""
    return f"{mark(check.old)} > {mark(check.new)} in {check.task}. {one_line(check.title)}"


def mark(points: int | None) -> str:
    """A mark, or that there is none."""
    return "none" if points is None else str(points)


def last_line(comparison: Comparison) -> str:
    """How many marks moved."""
    people = len({moved.learner for moved in comparison.moved})
    if not people:
        return f"No mark moved; {counted(comparison.compared, 'learner')} compared."
    marks = counted(len(comparison.moved), "mark")
    return f"{marks} of {counted(people, 'learner')} moved; {comparison.compared} compared."
