"""Captured output: standard output and error go to a file of which each try owns a stretch.

It must not interpret what was written.
"""

from __future__ import annotations

import sys
from pathlib import Path

KEEP = 16 * 1024


class OutputTail:
    """Reads what was added to the output file since the last look."""

    def __init__(self, path: Path):
        self._path, self._seen = path, 0

    def skip(self) -> None:
        """Forget what was written so far."""
        self.flush()
        self._seen = self._path.stat().st_size

    def read(self) -> tuple[str, bool]:
        """What is new, and whether its middle was left out."""
        self.flush()
        with open(self._path, "rb") as file:
            end = file.seek(0, 2)
            start = min(self._seen, end)  # a learner may have cut the file short
            size = end - start
            self._seen = end
            file.seek(start)
            if size <= KEEP:
                return file.read(size).decode("utf-8", "replace"), False
            head = file.read(KEEP // 2)
            file.seek(end - KEEP // 2)
            tail = file.read(KEEP // 2)
        left_out = f"\n… {size - KEEP:,} bytes left out …\n"
        return (head + left_out.encode() + tail).decode("utf-8", "replace"), True

    @staticmethod
    def flush() -> None:
        """Bring buffered text into the file; a learner may have closed or replaced a stream."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()  # type: ignore[union-attr]
            except BaseException:
                continue
