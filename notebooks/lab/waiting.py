"""Waiting for something in the stack, with a line that shows how long. Recordings do not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from IPython.display import display

from lab.problem import LabProblem

T = TypeVar("T")
PAUSE = 2.0  # seconds between two looks


class Line:
    """One line of output that is written over."""

    def __init__(self, text: str):
        self._text = text
        self._handle = display(self, display_id=True)

    def __repr__(self) -> str:
        return self._text

    def say(self, text: str) -> None:
        """Show this instead."""
        self._text = text
        if self._handle is not None:
            self._handle.update(self)


def wait_until(
    what: str,
    ask: Callable[[], T],
    good: Callable[[T], object] = bool,
    *,
    seconds: float = 120,
    pause: float = PAUSE,
    or_else: str = "",
    quiet: bool = False,
) -> T:
    """Ask until the answer is good and return it. `what` completes "Waiting until ...".

    Raises `LabProblem`, with the line `or_else`, after so many seconds. With a `pause` of 0 only
    the number of looks is limited, as recorded replies are there at once.
    """
    line = None if quiet else Line(f"Waiting until {what} ...")
    begun, looks = time.monotonic(), 0
    while True:
        answer, looks = ask(), looks + 1
        waited = time.monotonic() - begun
        if good(answer):
            if line:
                line.say(f"Waited until {what}" + (f": {waited:.0f} s." if pause else "."))
            return answer
        if waited > seconds or (not pause and looks > 1000):
            raise LabProblem(or_else or f"{what}: that did not happen within {seconds:.0f} s.")
        if line:
            line.say(f"Waiting until {what} ... {waited:.0f} s")
        time.sleep(pause)
