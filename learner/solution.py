"""`make solution`: the way from a learner's file to the solution, as a coloured diff.

It must not decide whether a learner may see it.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.api import shown_path
from grader.report.page import Page
from grader.report.text import clean

COLOURS = {"+": "green", "-": "red", "@": "cyan"}
NOTE = "Lines with - are yours, those with + the solution's. Different is not wrong: yours passes."


def diff(mine: Path, solved: Path) -> list[str]:
    """A unified diff without line ends; empty if both are the same. Raises `OSError`."""
    a, b = (path.read_text("utf-8", "replace").splitlines() for path in (mine, solved))
    return list(difflib.unified_diff(a, b, shown_path(mine), shown_path(solved), lineterm=""))


def print_diff(lines: list[str], console: Console) -> None:
    """Print a diff in colours, and how to read it."""
    if not lines:
        Page(console).line(Text("Your file and the solution are the same, word for word."))
        return
    console.print()
    for number, line in enumerate(lines):
        style = "bold" if number < 2 else COLOURS.get(line[:1], "")
        console.print(Text(clean(line), style=style), soft_wrap=True)
    console.print()
    Page(console).line(Text(NOTE, style="dim"))
