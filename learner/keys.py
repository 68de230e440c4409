"""Single keys from the terminal, without Enter, while an event loop runs. It must not print."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prompt_toolkit.input import create_input
from prompt_toolkit.keys import Keys

QUIT = "q"
LEAVES = (Keys.ControlC, Keys.ControlD, Keys.ControlBackslash)


@contextmanager
def key_presses(pressed: Callable[[str], None]) -> Iterator[None]:
    """Tell `pressed` of each key as a small letter; Ctrl-C, Ctrl-D and a closed terminal are `q`.

    The terminal is as it was when this is left. Nothing typed is echoed meanwhile.
    """
    source = create_input(sys.stdin)

    def read() -> None:
        for press in source.read_keys():
            pressed(QUIT if press.key in LEAVES else press.data.lower())
        if source.closed:
            pressed(QUIT)

    with source.raw_mode(), source.attach(read):
        yield
