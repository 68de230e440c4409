"""Text that came out of learner code, made safe to show: no control characters, sensible length.

It must not know about records, consoles or colours.
"""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 20_000
MAX_LINE = 400
MAX_LINES = 18

# Terminal escape sequences: CSI, then the string kinds (OSC, DCS, ...), then the short ones.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_LINE_ENDS = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")


def clean(text: str) -> str:
    """Keep what is meant to be read: no escape sequence, no control or direction character.

    Every kind of line end becomes a newline, so a carriage return cannot hide what stands before.
    """
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text)).expandtabs(4)
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char == "\n" or (char.isascii() and char.isprintable()):
        return char
    kind = unicodedata.category(char)
    if kind == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if kind in ("Cc", "Cf") else char


def one_line(text: str, limit: int = 200) -> str:
    """All of a text on one line, cut at `limit` characters."""
    line = " ".join(clean(text[:MAX_TEXT]).split())
    return line if len(line) <= limit else f"{line[: limit - 3].rstrip()}..."


def lines(text: str) -> list[str]:
    """The lines of a message. The start and the end survive a cut, since both matter."""
    kept = clean(text[:MAX_TEXT])
    if len(text) > MAX_TEXT:
        kept += f"\n({len(text) - MAX_TEXT:,} more characters left out)"
    found = [_shorten(line.rstrip()) for line in kept.strip("\n").split("\n")]
    if len(found) <= MAX_LINES:
        return found
    head, tail = found[: MAX_LINES - 5], found[-4:]
    return [*head, f"({len(found) - len(head) - len(tail)} more lines left out)", *tail]


def _shorten(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    head, tail = line[: MAX_LINE - 100], line[-60:]
    left_out = len(line) - len(head) - len(tail)
    return f"{head} ... ({left_out:,} characters left out) ... {tail}"
