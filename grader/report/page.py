"""The paper that the terminal report is written on: width, indents, wrapping, bars, symbols.

Every text goes through `safe`, and none is ever read as markup. It must not know about marks.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from grader.report.text import clean

MAX_WIDTH = 88
_CODE = re.compile(r"`[^`\n]{1,80}`")
_WORD = re.compile(r"^\s*\S+\s*|\S+\s*")
_PLAIN = {"✓": "+", "✗": "x", "·": "-", "▌": "|", "━": "#", "╌": "."}


class Page:
    """Writes lines to a console, never wider than `MAX_WIDTH`, also where there is no UTF-8."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = max(min(console.width, MAX_WIDTH), 40)
        self.bar_width = 20 if self.width >= 60 else 10
        self._encoding = console.encoding if not console.encoding.startswith("utf") else ""

    def safe(self, text: str, style: str = "", *, code: bool = False) -> Text:
        """A text to be shown as it is; with `code`, what stands in backticks stands out."""
        text = clean(text).replace("\n", " ")
        if self._encoding:
            text = text.encode(self._encoding, "replace").decode(self._encoding)
        shown = Text(text, style=style)
        if code:
            shown.highlight_regex(_CODE, "cyan")
        return shown

    def symbol(self, symbol: str, style: str = "") -> Text:
        """One of our own signs, or its stand-in."""
        return Text("".join(_PLAIN.get(s, s) if self._encoding else s for s in symbol), style=style)

    def bar(self, share: float, style: str = "green") -> Text:
        """A bar that is full only at 1 and empty only at 0."""
        width = self.bar_width
        filled = min(max(int(share * width), 1 if share > 0 else 0), width - (share < 1))
        rest = self.symbol("╌" * (width - filled), "dim")
        return Text.assemble(self.symbol("━" * filled, style), rest)

    def blank(self) -> None:
        """An empty line."""
        self.console.print()

    def line(self, text: Text, first: Text | str = "", rest: Text | str | None = None) -> None:
        """Wrap `text` at words; `first` stands before its first line and `rest` before the others.

        A word longer than a line, such as a path, stays in one piece, so that it can be copied.
        """
        first = Text.assemble(first)
        rest = Text(" " * first.cell_len) if rest is None else Text.assemble(rest)
        for number, part in enumerate(_wrap(text, max(self.width - first.cell_len, 12))):
            whole = Text.assemble(rest if number else first, part)
            whole.rstrip()
            self.console.print(whole, soft_wrap=True, highlight=False)

    def row(self, left: Text, right: Text, indent: int = 0, hang: int = 0) -> None:
        """`left` wrapped, with `right` at the end of its first line.

        The other lines of `left` begin `hang` columns further in than its first.
        """
        end = self.width - right.cell_len
        for number, part in enumerate(_wrap(left, max(end - indent - hang - 2, 10))):
            whole = Text.assemble(" " * (indent + hang if number else indent), part)
            whole.rstrip()
            if number == 0:
                whole = Text.assemble(whole, " " * max(end - whole.cell_len, 2), right)
            self.console.print(whole, soft_wrap=True, highlight=False)


def _wrap(text: Text, width: int) -> list[Text]:
    """Break at words only; rich would also break inside one that is too long."""
    breaks, column = [], 0
    for word in _WORD.finditer(text.plain):
        if column and column + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            column = 0
        column += cell_len(word[0])
    return list(text.divide(breaks)) if breaks else [text.copy()]
