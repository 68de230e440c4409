"""What is going on while scenarios run: a live line on a terminal, a few plain lines elsewhere.

It must not decide anything and it holds no result; when it is gone, nothing is lost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from threading import RLock
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as LiveProgress
from rich.table import Column
from rich.text import Text

from grader.report.text import one_line


class Progress:
    """Use as a context manager around the work; its methods may be called from any thread.

    Give it a console on stderr, so that what is piped from stdout is the report alone.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._lock = RLock()
        self._expected = 0
        self._running: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._done: Counter[str] = Counter()
        self._cached: Counter[str] = Counter()
        self._stage = ""
        self._live: LiveProgress | None = None
        if not quiet and console.is_terminal and not console.is_dumb_terminal:
            self._live = LiveProgress(
                BarColumn(bar_width=20, complete_style="green", pulse_style="green"),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn(
                    "{task.description}",
                    markup=False,
                    style="dim",
                    table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
                ),
                console=console,
                transient=True,
                expand=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._live.add_task("", total=None)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def stage(self, text: str) -> None:
        """Say what the grader itself is busy with, such as `Starting Airflow`."""
        with self._lock:
            self._stage = one_line(text, 78)
            if self._live:
                self._refresh()
            else:
                self._say(self._stage)

    def expect(self, count: int) -> None:
        """So many more scenarios will be finished."""
        with self._lock:
            self._expected += count
            if self._live:
                self._live.update(self._task, total=self._expected)

    def started(self, part: str, scenario: str) -> None:
        """A scenario began."""
        with self._lock:
            self._running[part, scenario] += 1
            self._refresh()

    def finished(self, part: str, scenario: str, seconds: float, cached: bool) -> None:
        """A scenario came to its end; with `cached` nothing had to run."""
        with self._lock:
            self._running -= Counter([(part, scenario)])
            self._done[part] += 1
            self._cached[part] += cached
            self._seconds[part] += seconds
            if self._live:
                self._live.advance(self._task)
            self._refresh()
            if not self._live and self._done.total() == self._expected:
                for done in sorted(self._done):
                    self._say(self._part_line(done))

    def _part_line(self, part: str) -> str:
        done, cached = self._done[part], self._cached[part]
        line = f"Part {one_line(part, 40)}: {done} scenario{'' if done == 1 else 's'}"
        if cached == done:
            return f"{line}, nothing changed"
        kept = f", {cached} of them unchanged" if cached else ""
        return f"{line} in {self._seconds[part]:.1f} s{kept}"

    def _refresh(self) -> None:
        if self._live is None:
            return
        scenarios = [f"{part[:2]} {one_line(name, 24)}" for part, name in self._running]
        self._live.update(self._task, description=", ".join(scenarios) or self._stage)

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(Text(line), soft_wrap=True)
