"""Notices when one file was saved, also by renaming, and wherever it lies. It must not read it.

The system tells of changes at once where it can. Beside that the file is looked at twice a second,
because network folders tell nothing and a system can run out of watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

LOOK_SECONDS = 0.5
QUIET_MS = 20
Signature = tuple[int, int, int]


async def saves(file: Path, *, poll: bool = False) -> AsyncIterator[None]:
    """Yield after each save, and when the file goes or comes back. `poll` only looks, and never
    asks the system to tell.
    """
    seen = signature(file)
    async for _ in occasions(file, poll):
        now = signature(file)
        if now != seen:
            seen = now
            yield


async def occasions(file: Path, poll: bool) -> AsyncIterator[None]:
    """Moments at which the file may have changed, at least one in `LOOK_SECONDS`."""

    def ours(change: Change, path: str) -> bool:
        return Path(path).name == file.name

    if not poll:
        try:
            async for _ in awatch(
                file.parent,
                watch_filter=ours,
                step=QUIET_MS,
                debounce=QUIET_MS * 10,
                rust_timeout=round(LOOK_SECONDS * 1000),
                yield_on_timeout=True,
                recursive=False,
            ):
                yield
        except (OSError, RuntimeError):
            pass  # no watch is left, or none is possible here: looking goes on
    while True:
        await asyncio.sleep(LOOK_SECONDS / 2)
        yield


def signature(file: Path) -> Signature | None:
    """What differs after a save; None while there is no file."""
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
