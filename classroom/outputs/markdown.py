"""Foreign text in Markdown, so that it is shown as it is and can neither format nor end anything.

It must not shorten or judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from grader.report.text import one_line

MARKS = re.compile(
    r"""([\\`*_\[\]<>&|~@\#$]      # within a line
    |(?<=\w):(?=//)|(?<=www)\.     # what makes a link by itself
    |^[-+=]|(?<=\d)[.)](?=\s|$))   # what begins a list or underlines a heading""",
    re.VERBOSE | re.IGNORECASE,
)
TICKS = re.compile("`+")
IN_TICKS = re.compile("`([^`|]+)`")


def plain(text: str, limit: int = 200) -> str:
    """A text on one line, with nothing in it that means something."""
    return MARKS.sub(r"\\\1", one_line(text, limit))


def prose(text: str, limit: int = 400) -> str:
    """The same, but for code in single backticks, as our own sentences have it."""
    pieces = IN_TICKS.split(one_line(text, limit))
    return "".join(code(p) if n % 2 else MARKS.sub(r"\\\1", p) for n, p in enumerate(pieces))


def code(text: str, limit: int = 300) -> str:
    """A text on one line as code, whatever backticks it has. Not for a table's cell."""
    line = one_line(text, limit)
    tick = "`" * (longest(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{tick}{space}{line}{space}{tick}"


def fenced(text: str) -> str:
    """A block of text in a fence that is longer than any run of backticks in it."""
    fence = "`" * max(longest(text) + 1, 3)
    return f"{fence}text\n{text}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> str:
    """A table of cells that are Markdown already; the last `right` columns hold numbers."""
    rule = ["---"] * (len(head) - right) + ["---:"] * right
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def longest(text: str) -> int:
    """The longest run of backticks."""
    return max(map(len, TICKS.findall(text)), default=0)
