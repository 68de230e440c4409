"""What is going on while a class is marked: a live table on a terminal, plain lines elsewhere.

It must not decide anything and it holds no mark that is not in the journal.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from classroom.journal import Entry
from classroom.plan import Session, Unit
from grader.report.text import one_line

LAST = 12


class Screen:
    """A listener for `mark_sessions`. Use as a context manager around it."""

    def __init__(self, console: Console, names: Mapping[str, str]):
        self._console, self._names = console, names
        self._running: dict[Session, tuple[Unit, float]] = {}
        self._points: dict[tuple[str, ...], list[Entry]] = {}
        self._last: deque[tuple[tuple[str, ...], list[Entry]]] = deque(maxlen=LAST)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._task = self._bar.add_task("marked", total=None)
        lively = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, transient=True, refresh_per_second=4) if lively else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.get_renderable = self.render  # type: ignore[method-assign]
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def expect(self, files: int) -> None:
        """So many files are to be marked."""
        self._bar.update(self._task, total=files, description="files marked")

    def stage(self, text: str) -> None:
        """Say what is done before the first mark."""
        self._say(text)

    def started(self, session: Session, unit: Unit) -> None:
        """A file is being marked."""
        self._running = {s: r for s, r in self._running.items() if s.owners != session.owners}
        self._running[session] = unit, time.monotonic()

    def marked(self, session: Session, unit: Unit, entry: Entry) -> None:
        """A file has its mark."""
        self._bar.advance(self._task)
        entries = self._points.setdefault(session.owners, [])
        entries.append(entry)
        if not self._last or self._last[-1][0] != session.owners:
            self._last.append((session.owners, entries))
        result = entry.result
        self._say(
            f"{self.called(session.owners)}: part {unit.part.number}, "
            f"{result.points} of {result.max_points}, {entry.seconds:.1f} s"
        )

    def lost(self, session: Session, unit: Unit) -> None:
        """A file could not be marked."""
        self._bar.advance(self._task)
        self._say(f"{self.called(session.owners)}: part {unit.part.number} could not be marked")

    def called(self, owners: tuple[str, ...]) -> str:
        """Whose file it is, for people."""
        first = one_line(self._names.get(owners[0], owners[0]), 40)
        return f"{first} and {len(owners) - 1} more" if len(owners) > 1 else first

    def _say(self, text: str) -> None:
        if self._live is None:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def render(self) -> Group:
        """The bar with the time that is left, what is being marked, what was marked last."""
        table = Table("Learner", "Part", "Marks", box=None, padding=(0, 2), header_style="dim")
        for owners, entries in self._last:
            points = sum(entry.result.points for entry in entries)
            most = sum(entry.result.max_points for entry in entries)
            parts = " ".join(entry.result.id[:2] for entry in entries)
            table.add_row(Text(self.called(owners)), parts, f"{points}/{most}")
        for session, (unit, since) in self._running.items():
            seconds = f"{time.monotonic() - since:.0f} s"
            name = Text(self.called(session.owners), style="bold")
            table.add_row(name, Text(f"{unit.part.number} ...", style="cyan"), seconds)
        return Group(table, self._bar)
