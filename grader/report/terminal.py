"""The report that a learner reads in the terminal.

It must not judge: every word and mark in it comes from the record or the course.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from grader.course import Course, Part
from grader.judge.problems import NOT_LOADED
from grader.judge.record import CheckResult, PartResult, Record
from grader.report.page import Page
from grader.report.text import lines, one_line

_INDENT = 4
_WORDS = {
    "passed": ("✓", "passed", "green"),
    "failed": ("✗", "failed", "red"),
    "not_checked": ("·", "not checked", "dim"),
    "error": ("!", "error", "red"),
    "grader": ("!", "grader error", "magenta"),
    "environment": ("!", "environment", "yellow"),
}
_BECAUSE = re.compile(r"^(?:not checked[,:]?\s*)?(?:because\b[:,]?)?\s*", re.IGNORECASE)
_LABEL = re.compile(r"^(Ran|Happened|Expected): +")
_LABEL_WIDTH = 10
_FAULTS = {
    "grader": "This is a fault of the grader, not of your code. Please report it.",
    "environment": "This is about the machine that the grader runs on, not about your code.",
}


def print_report(
    record: Record,
    course: Course,
    console: Console,
    *,
    untouched: Iterable[str] = frozenset(),
    timings: dict[str, float] | None = None,
) -> None:
    """Print a record: every part, the total and what to do next.

    `untouched` holds the ids of parts whose file is still the shipped stub. Where the record has
    several parts, one that is all passed is folded to its tasks, and so is an untouched one with
    which to begin; further untouched ones are one line. A single part is always shown in full.
    """
    report = _Report(record, course, Page(console), set(untouched))
    report.print_head()
    for part in record.parts:
        report.print_part(part)
    report.print_total()
    if timings:
        _print_timings(report.page, timings)


class _Report:
    def __init__(self, record: Record, course: Course, page: Page, untouched: set[str]) -> None:
        self.record, self.course, self.page, self.untouched = record, course, page, untouched
        self.known = {part.slug: part for part in course.part}
        self.todo = [part for part in record.parts if not all_passed(part)]
        self.begin = self.todo[0].id if self.todo and self.todo[0].id in untouched else None

    def print_head(self) -> None:
        page = self.page
        page.blank()
        where = page.safe(one_line(self.record.submission, 40), "dim")
        page.row(page.safe(self.course.title, "bold"), where)

    def print_part(self, part: PartResult) -> None:
        page = self.page
        page.blank()
        right = _marks(page, part.points, part.max_points, "bold", bar=True)
        page.row(page.safe(f"{_number(part)}  {one_line(part.title, 80)}", "bold"), right)
        fresh = part.id in self.untouched and not all_passed(part)
        folded = len(self.record.parts) > 1 and (all_passed(part) or fresh)
        folded = folded or one_problem_for_all(part)
        if fresh and part.id != self.begin:
            page.line(Text("Not started yet."), " " * _INDENT)
            return
        if fresh:
            self.print_start(part)
        shown = first_open(part)
        self.print_tasks(part, checks=not folded)
        if shown is not None:
            page.blank()
            self.print_in_full(part, shown)

    def print_start(self, part: PartResult) -> None:
        """What to do first with a file that is still as it was shipped."""
        page = self.page
        page.line(
            page.safe(
                "This file is as it was shipped, so nothing passes yet. Failing is where you start:"
            ),
            " " * _INDENT,
        )
        steps = (
            f"Read section 1 of exercises/{part.id}/README.md",
            f"Open {self.file_of(part)} and find TODO 1",
            f"Fill it in, save, and run: {self.command(part)}",
        )
        for number, step in enumerate(steps, 1):
            page.line(page.safe(step), f"{' ' * _INDENT}{number}. ")
        page.blank()

    def print_tasks(self, part: PartResult, *, checks: bool) -> None:
        """Each task with its marks and, unless folded, its checks as one line each."""
        page = self.page
        for number, title, maximum in self.tasks_of(part):
            of_task = [check for check in part.checks if check.task == number]
            left = page.safe(f"{number}. {title}", "" if checks else "dim")
            points = sum(check.points for check in of_task)
            page.row(left, _marks(page, points, maximum, "" if checks else "dim"), _INDENT, 3)
            if not checks:
                continue
            for reason, group in groupby(of_task, key=_reason):
                fresh = part.id in self.untouched
                self.print_check_lines(list(group), "" if fresh else reason)

    def print_check_lines(self, checks: Sequence[CheckResult], reason: str) -> None:
        """Checks that share a reason: one line each, then the reason once."""
        page = self.page
        for check in checks:
            sign, word, style = _WORDS[_kind(check)]
            first = Text.assemble(
                " " * (_INDENT + 3), page.symbol(sign, style), Text(f" {word:14}", style=style)
            )
            style = "dim" if check.status in ("passed", "not_checked") else ""
            page.line(page.safe(one_line(check.title), style, code=not style), first)
        if reason:
            page.line(page.safe(reason, "dim"), " " * (_INDENT + 19))

    def print_in_full(self, part: PartResult, check: CheckResult) -> None:
        """One check that did not pass, with all that helps to mend it."""
        page = self.page
        _, _, style = _WORDS[_kind(check)]
        edge = Text.assemble(" " * _INDENT, page.symbol("▌", style), " ")
        page.line(page.safe(one_line(check.title), "bold"), edge, edge)
        page.line(Text(""), edge, edge)
        for paragraph in lines(check.message or "There is no message for this check."):
            label = _LABEL.match(paragraph)
            rest = paragraph[label.end() :] if label else paragraph
            self.print_labelled(edge, f"{label[1]}:" if label else "", page.safe(rest, code=True))
        fault = _FAULTS.get(check.blame or "")
        if fault:
            page.line(page.safe(fault), edge, edge)
            return
        page.line(Text(""), edge, edge)
        title = dict((n, t) for n, t, _ in self.tasks_of(part)).get(check.task, "")
        folder = f"exercises/{part.id}"
        rows = [
            ("Where:", one_line(check.location or "", 300)),
            ("Read:", f"{folder}/README.md, section {check.task}. {title}"),
            ("Hints:", f"{folder}/hints.md, the same heading"),
        ]
        for name, text in rows:
            if text:
                self.print_labelled(edge, name, page.safe(text))

    def print_labelled(self, edge: Text, label: str, text: Text) -> None:
        """A line whose label stands in a column of its own; without one it is plain text."""
        width = _LABEL_WIDTH if label else 0
        first = Text.assemble(edge, (label.ljust(width), "bold"))
        self.page.line(text, first, Text.assemble(edge, " " * width))

    def print_total(self) -> None:
        record, page = self.record, self.page
        page.blank()
        right = _marks(page, record.points, record.max_points, "bold", bar=True)
        page.row(Text("Total", style="bold"), right)
        if self.todo or not record.parts or record.points < record.max_points:
            self.print_faults()
            next_step = self.next_step()
        else:
            praise = f"Everything passes: all {record.max_points} marks. Well done."
            page.line(page.safe(praise, "green"))
            next_step = self.next_part()
        if next_step:
            page.line(page.safe(next_step), Text("Next: ", style="bold"))
        made = (
            f"Seed {record.seed}, Airflow {record.versions.airflow}, "
            f"Python {record.versions.python}"
        )
        page.line(page.safe(one_line(made), "dim"))
        page.blank()

    def print_faults(self) -> None:
        """Say how many checks were not judged and whose fault that is not."""
        for blame, cause in (("grader", "the grader failed"), ("environment", "of this machine")):
            count = sum(c.blame == blame for p in self.record.parts for c in p.checks)
            if count:
                checks = "1 check was" if count == 1 else f"{count} checks were"
                text = f"{checks} not judged because {cause}; that is not your code's fault."
                self.page.line(self.page.safe(text, _WORDS[blame][2]))

    def next_step(self) -> str:
        """The one thing to do now."""
        for part in self.todo:
            check = first_open(part)
            if check is None or check.blame in _FAULTS:
                continue
            if part.id in self.untouched:
                return f"open {self.file_of(part)} and find TODO 1"
            return (
                f"part {_number(part)}, section {check.task}. "
                f"Mend what is shown above, then run: {self.command(part)}"
            )
        return "run the same command again" if self.todo else ""

    def next_part(self) -> str:
        """The part after the last one of the record."""
        slugs = list(self.known)
        last = slugs.index(self.record.parts[-1].id) + 1 if self.record.parts[-1].id in slugs else 0
        if not last or last == len(slugs):
            return ""
        part = self.course.part[last]
        return (
            f"part {part.number}, {part.title} ({part.minutes} minutes), "
            f"starts in exercises/{part.slug}/README.md"
        )

    def tasks_of(self, part: PartResult) -> list[tuple[int, str, int]]:
        """Number, title and marks of each task, also where the course does not know the part."""
        known: Part | None = self.known.get(part.id)
        titles = [(t.title, t.points) for t in known.task] if known else []
        tasks = {n: (title, points) for n, (title, points) in enumerate(titles, 1)}
        for number in sorted({check.task for check in part.checks} - set(tasks)):
            tasks[number] = ("", sum(c.max_points for c in part.checks if c.task == number))
        return [(number, title, points) for number, (title, points) in tasks.items()]

    def file_of(self, part: PartResult) -> str:
        """The file that the learner edits."""
        known = self.known.get(part.id)
        folder = one_line(self.record.submission, 300).rstrip("/")
        return f"{folder}/{part.id}/{known.dag_file if known else ''}"

    def command(self, part: PartResult) -> str:
        """What to type to grade this part again."""
        submission = one_line(self.record.submission, 300).rstrip("/")
        of = "" if submission == "exercises" else f" SUBMISSION={shlex.quote(submission)}"
        return f"make grade PART={_number(part)}{of}"


def _print_timings(page: Page, timings: dict[str, float]) -> None:
    """Where the time went, largest first."""
    page.line(Text("Where the time went", style="bold"))
    ordered = sorted(timings.items(), key=lambda item: (-item[1], item[0]))
    longest = max(ordered[0][1], 1e-9)
    for name, seconds in ordered:
        right = Text.assemble(page.bar(max(seconds, 0) / longest, "blue"), f"  {seconds:7.2f} s")
        page.row(page.safe(one_line(name, 100)), right, _INDENT)
    page.blank()


def _marks(page: Page, points: int, maximum: int, style: str, bar: bool = False) -> Text:
    marks = Text(f"{points}/{maximum}".rjust(7), style=style)
    share = points / maximum if maximum else 0.0
    return Text.assemble(page.bar(share), " ", marks) if bar else marks


def _number(part: PartResult) -> str:
    return one_line(part.id.partition("_")[0], 8)


def _kind(check: CheckResult) -> str:
    return check.blame if check.blame and check.blame in _FAULTS else check.status


def _reason(check: CheckResult) -> str:
    """Why a check says nothing about the code; empty for passed and failed ones."""
    if check.status == "not_checked":
        text = one_line(_BECAUSE.sub("", check.message or "", count=1))
        if text[1:2].islower():  # a sentence goes on in small letters; a name in capitals stays
            text = text[0].lower() + text[1:]
        return f"because {text}" if text else ""
    return one_line(check.message or "") if check.blame in _FAULTS else ""


def all_passed(part: PartResult) -> bool:
    """Fail closed: a part without checks, or with marks missing, did not pass."""
    marks = bool(part.checks) and part.points == part.max_points
    return marks and all(check.status == "passed" for check in part.checks)


def one_problem_for_all(part: PartResult) -> bool:
    """One check tells what is wrong with the file, and all others could only repeat it."""
    others = [check for check in part.checks if check.status != "failed"]
    return bool(others) and all(check.message == NOT_LOADED for check in others)


def first_open(part: PartResult) -> CheckResult | None:
    """The check to show in full: the first that failed, else the first that did not pass."""
    for status in ("failed", "error", "not_checked"):
        for check in part.checks:
            if check.status == status:
                return check
    return None
