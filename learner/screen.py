"""What `make watch` shows: reports, single lines, and at the bottom the keys that do something.

Without a terminal there are no keys and no cursor tricks, only lines. It must not decide what
comes next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from grader.report import Progress
from grader.report.page import Page

KEYS = {"n": "next part", "h": "hint", "r": "run again", "l": "list", "q": "quit"}


class Screen:
    """Both streams are taken once: while checks run, `sys.stdout` is somebody else's."""

    def __init__(self) -> None:
        self.out = Console(file=sys.stdout, highlight=False)
        self._err = Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)
        self.live = self.out.is_terminal and not self.out.is_dumb_terminal and sys.stdin.isatty()
        self._page = Page(self.out)
        self._keys_shown = False
        self._progress: Progress | None = None

    @contextmanager
    def work(self, told: str) -> Iterator[Progress]:
        """Say at once what is going on, and show how far it is."""
        self.take_keys_away()
        if not self.live:
            self._page.line(Text(f"{told} ..."))
        self._progress = Progress(self._err, quiet=not self.live)
        self.whisper(told)
        try:
            with self._progress as progress:
                yield progress
        finally:
            self._progress = None

    def whisper(self, told: str) -> None:
        """A word beside the progress of what is going on, if something is."""
        if self._progress is not None:
            self._progress.stage(f"{told} ...")

    def fresh(self) -> None:
        """Begin at the top of an empty screen."""
        self.take_keys_away()
        if self.live:
            self.out.clear()

    def say(self, line: str, style: str = "") -> None:
        """One line, wrapped if need be."""
        self.take_keys_away()
        self._page.line(self._page.safe(line, style, code=True))

    def show_keys(self) -> None:
        """Offer the keys, on the last line. Without a terminal, say once how this ends."""
        if self._keys_shown:
            return
        if not self.live:
            self._page.line(Text("Waiting for the next save. Ctrl-C ends this."))
            self._keys_shown = True
            return
        keys = Text("  ").join(Text.assemble((k, "bold"), f" {told}") for k, told in KEYS.items())
        keys.truncate(self.out.width - 1)
        self.out.print(keys, end="")
        self._keys_shown = True

    def take_keys_away(self) -> None:
        """Clear the line of keys for what comes now."""
        if self._keys_shown and self.live:
            self.out.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
            self._keys_shown = False
