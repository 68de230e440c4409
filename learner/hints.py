"""The ladder of hints of a part, from its `hints.md`, and which hint comes next.

It must not judge: which section needs help, a graded part tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

from grader.cli import EXERCISES
from grader.course import Part
from grader.judge.record import PartResult
from grader.report import BestMarks
from grader.report.page import Page
from grader.report.terminal import first_open, one_problem_for_all

HEADING = re.compile(r"^## (\d+)\. ")
ITEM = re.compile(r"^\d+\. +")
WIDTH = 88
# The library's own has a black background, which is a bar of ink on a white terminal.
LOOKS = Theme({"markdown.code": "cyan"})


@dataclass(frozen=True)
class Hint:
    """The hints of a section that are to be shown now: one, or all of them again.

    `number` is that of the first of `texts`, and `of` how many there are.
    """

    task: int
    title: str
    number: int
    of: int
    texts: tuple[str, ...]

    @property
    def again(self) -> bool:
        """Whether all were shown before."""
        return len(self.texts) == self.of > 1

    @property
    def heading(self) -> str:
        which = f"All {self.of} hints" if self.again else f"Hint {self.number} of {self.of}"
        return f"{which} for section {self.task}. {self.title}"


def read_ladder(text: str) -> dict[int, list[str]]:
    """The hints of each section, by its number; a wrapped hint is one line."""
    found: dict[int, list[str]] = {}
    task = 0
    for line in text.splitlines():
        if heading := HEADING.match(line):
            task = int(heading[1])
            found[task] = []
        elif task and (item := ITEM.match(line)):
            found[task].append(line[item.end() :].strip())
        elif task and found[task] and line.strip():
            found[task][-1] += f" {line.strip()}"
    return found


def why_no_hint(result: PartResult, part: Part) -> str | None:
    """Why no section of a graded part can be hinted at; None if one can."""
    check = first_open(result)
    if check is None:
        return f"Part {part.number} passes: there is nothing to hint at."
    if check.status == "error":
        return f"Part {part.number} could not be judged: {check.message}"
    if one_problem_for_all(result):
        told = (check.message or "").partition("Happened: ")[2].partition("\n")[0]
        return f"No section can be helped before this is mended, at {check.location}: {told}"
    return None


def next_hint(part: Part, task: int, best: BestMarks) -> Hint | None:
    """The next hint of a section, which is noted as shown; None where the section has none.

    After the last one it is all of them. Raises `OSError`.
    """
    file = EXERCISES / part.slug / "hints.md"
    rungs = read_ladder(file.read_text("utf-8")).get(task, [])
    if not rungs:
        return None
    marks = best.read().get(part.slug)
    shown = marks.hints.get(str(task), 0) if marks else 0
    title = part.task[task - 1].title
    if shown >= len(rungs):
        return Hint(task, title, 1, len(rungs), tuple(rungs))
    best.note_hint(part.slug, task, shown + 1)
    return Hint(task, title, shown + 1, len(rungs), (rungs[shown],))


def give_hint(part: Part, task: int, best: BestMarks, console: Console, more: str) -> None:
    """Print the next hint of a section. `more` says how to get the one after it."""
    hint = next_hint(part, task, best)
    if hint is None:
        console.print(Text(f"Section {task} of part {part.number} has no hints."))
    else:
        print_hint(hint, part, console, more)


def print_hint(hint: Hint, part: Part, console: Console, more: str) -> None:
    """Print hints, with what is in backticks standing out, and what to do next."""
    console.print()
    console.print(Text(hint.heading, style="bold"), soft_wrap=True)
    for number, text in enumerate(hint.texts, hint.number):
        console.print()
        _print_markdown(f"{number}. {text}" if hint.again else text, console)
    console.print()
    page = Page(console)
    for indent, line in _afterwards(hint, part, more):
        page.line(Text(line, style="dim"), indent)


def _print_markdown(text: str, console: Console) -> None:
    """Styled on a terminal; in a pipe as it was written, since there backticks are all there is."""
    if console.is_terminal:
        with console.use_theme(LOOKS):
            console.print(Padding(Markdown(text), (0, 0, 0, 4)), width=min(console.width, WIDTH))
    else:
        Page(console).line(Text(text), " " * 4)


def _afterwards(hint: Hint, part: Part, more: str) -> Iterator[tuple[str, str]]:
    if not hint.again and hint.number < hint.of:
        yield "", f"Try it before you take the next one: {more}"
        return
    yield "", "These are all." if hint.again else "That was the last one of this section."
    yield "", "What else helps:"
    yield "  - ", f"section {hint.task} of exercises/{part.slug}/README.md, read slowly once more"
    yield "  - ", f"make show PART={part.number}: your DAG, beside the picture of the lesson"
    yield "  - ", "whoever teaches the course; show them what make grade says"
