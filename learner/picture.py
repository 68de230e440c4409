"""Draws graphs of tasks as trees that a beginner can read, and says in words how two differ.

It must not find out the difference itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from learner.graph import Difference, Edge, Graph

GAP = 4
Marks = Mapping[str | Edge, str]


def draw(graph: Graph, title: str, marks: Marks) -> RenderableType:
    """A tree: what waits for a task stands below it. `marks` are shown where task or arrow is.

    A task that waits for several is drawn once with all that follows it, and named at the others.
    """
    trees: list[Tree] = []
    drawn: set[str] = set()

    def add(place: Tree | None, task: str, edge: Edge | None) -> None:
        label = Text(task)
        if task in drawn:
            label.append("  (drawn above)", "dim")
        else:
            label.append(_notes(graph, task), "dim")
            label.append(marks.get(task, ""), "bold red")
        label.append(marks.get(edge, "") if edge else "", "bold red")
        below = place.add(label) if place else Tree(label, guide_style="dim")
        if place is None:
            trees.append(below)
        if task not in drawn:
            drawn.add(task)
            for later in graph.tasks:
                if (task, later) in graph.needed:
                    add(below, later, (task, later))

    for task in graph.tasks:
        if not any(b == task for _, b in graph.needed):
            add(None, task, None)
    nothing = [] if trees else [Text("no task", "dim")]
    return Group(Text(title, style="bold"), *trees, *nothing)


def _notes(graph: Graph, task: str) -> str:
    """What is special about a task, and arrows to it that the tree has no line for."""
    implied = [t for t in graph.before(task) if (t, task) not in graph.needed]
    notes = [f"also after {', '.join(implied)}"] if implied else []
    if task in graph.notes:
        notes.append(graph.notes[task])
    return f"  ({'; '.join(notes)})" if notes else ""


def print_both(mine: Graph, expected: Graph, difference: Difference, console: Console) -> None:
    """Two trees, beside each other where there is room, with marks where they differ."""
    too_much: dict[str | Edge, str] = {t: "  not in the lesson" for t in difference.extra_tasks}
    too_much |= {e: "  this arrow is not in the lesson" for e in difference.extra_edges}
    lacking: dict[str | Edge, str] = {t: "  missing in yours" for t in difference.missing_tasks}
    lacking |= {e: "  this arrow is missing in yours" for e in difference.missing_edges}
    left, right = draw(mine, "Your DAG", too_much), draw(expected, "The lesson", lacking)
    widths = [console.measure(picture).maximum for picture in (left, right)]
    if sum(widths) + GAP <= console.width:
        both = Table.grid(padding=(0, GAP, 0, 0))
        both.add_row(left, right)
        console.print(both)
    else:
        console.print(left, Text(), right, sep="\n")


def in_words(difference: Difference) -> list[str]:
    """One sentence for each task and arrow that is missing or too many."""
    return [
        *(f"Task `{t}` is missing." for t in difference.missing_tasks),
        *(f"Task `{t}` is not in the lesson." for t in difference.extra_tasks),
        *(f"`{b}` does not wait for `{a}` yet." for a, b in difference.missing_edges),
        *(f"`{b}` waits for `{a}`; in the lesson it does not." for a, b in difference.extra_edges),
    ]
