"""The one way out of the process that runs learner code: numbered JSON lines behind a nonce.

Plain data of exact builtin types only. A line that does not carry the nonce and the next number
was not written here, and its reader calls that tampering.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

MAX_BYTES = 8 * 1024 * 1024
loads = json.loads


class ProtocolError(ValueError):
    """The stream holds something that the observer did not write, or too much of it."""

    def __init__(self, limit: str, detail: str):
        super().__init__(detail)
        self.limit, self.detail = limit, detail


def make_emitter(fd: int, nonce: str) -> Callable[..., None]:
    """A function `emit(kind, **facts)`.

    It closes over its own encoder, so that patching `json` changes nothing.
    """
    encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode
    write, number = os.write, 0

    def emit(kind: str, **facts: Any) -> None:
        nonlocal number
        data = f"{nonce} {number} {encode({'kind': kind, **facts})}\n".encode("ascii")
        number += 1
        while data:
            data = data[write(fd, data) :]

    return emit


class EventReader:
    """Puts the stream's bytes together again and yields events in order."""

    def __init__(self, nonce: str):
        self._nonce, self._number, self._rest, self._size = nonce, 0, b"", 0

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Raises `ProtocolError` on the first thing that is not an event of ours."""
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise ProtocolError("output", "more was recorded than 8 MiB")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield self._parse(line)

    def _parse(self, line: bytes) -> dict[str, Any]:
        nonce, _, rest = line.partition(b" ")
        number, _, text = rest.partition(b" ")
        if nonce != self._nonce.encode() or number != str(self._number).encode():
            raise ProtocolError("tampering", "something else wrote into the grader's own channel")
        self._number += 1
        try:
            event = loads(text)
        except ValueError:
            raise ProtocolError("tampering", "the grader's channel was overwritten") from None
        return dict(event)
