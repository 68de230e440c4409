"""Writes outputs below a folder, each whole or not at all, and takes away what is of nobody now.

It must not render anything, and it touches no file that it does not write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from grader.report.json_file import write_whole

LEARNERS = "learners"


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their path in the folder. One that is the same already stays as it is.

    Raises `OSError` with a sentence; what could not be written is as it was before.
    """
    for name, data in files.items():
        path = folder / name
        try:
            if path.is_file() and path.read_bytes() == data:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(data, path)
        except OSError as error:
            raise OSError(f"{path} was not written: {error.strerror or error}.") from error


def remove_old(folder: Path, present: Collection[str], names: Iterable[str]) -> list[str]:
    """Remove the files of learners who are not in the class any more, so that nobody takes them for
    its marks. What somebody else put there stays. Returns the ids of these learners.
    """
    removed = []
    for place in sorted((folder / LEARNERS).glob("*")):
        if place.name in present or place.is_symlink() or not place.is_dir():
            continue
        ours = [place / name for name in names if (place / name).is_file()]
        with contextlib.suppress(OSError):
            for path in ours:
                path.unlink()
            place.rmdir()
        if ours:
            removed.append(place.name)
    return removed
