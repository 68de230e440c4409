"""What lies below a folder, when whoever filled it may have meant harm: deep, huge, odd names.

It follows no link, never recurses and skips what it cannot read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

DEEPEST = 40


def files_below(folder: Path) -> Iterator[tuple[Path, int]]:
    """Regular files down to `DEEPEST` levels, with their sizes in bytes, in no order."""
    waiting = [(str(folder), 0)]
    while waiting:
        place, depth = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEEPEST:
                            waiting.append((entry.path, depth + 1))
                    elif entry.is_file(follow_symlinks=False):
                        yield Path(entry.path), entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def size_below(folders: list[Path], enough: int) -> int:
    """Bytes below some folders, counted until there is more than `enough`."""
    total = 0
    for folder in folders:
        for _, size in files_below(folder):
            total += size
            if total > enough:
                return total
    return total
