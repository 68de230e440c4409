"""The channel from the child to the keeper: only the observer's own lines are read."""

from __future__ import annotations

import os

import pytest

from grader.worker.events import EventReader, ProtocolError, make_emitter


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"\x00\xff\n",
        b'{"kind": "done"}\n',
        b'nonce 7 {"kind": "done"}\n',
        b'other 0 {"kind": "done"}\n',
        b"nonce 0 {}{}\n",
        b"nonce 0 " + b"x" * (9 * 2**20),
    ],
)
def test_only_the_observers_own_events_are_read(line: bytes) -> None:
    """Without nonce and number, out of order or endless: all of it is tampering."""
    with pytest.raises(ProtocolError):
        list(EventReader("nonce").feed(line))


def test_events_arrive_whole_in_any_pieces() -> None:
    """A pipe may hand over one byte at a time."""
    reading, writing = os.pipe()
    emit = make_emitter(writing, "nonce")
    emit("one", text="\ud800 \n")
    emit("two", number=2)
    data = os.read(reading, 4096)
    reader = EventReader("nonce")
    events = [event for i in range(len(data)) for event in reader.feed(data[i : i + 1])]
    assert events == [{"kind": "one", "text": "\ud800 \n"}, {"kind": "two", "number": 2}]
