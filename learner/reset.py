"""`make reset`: begins a part again. The shipped stub comes back, the learner's file stays beside.

It must not touch anything but the one DAG file, and must not lose what stood in it.
"""

from __future__ import annotations

from pathlib import Path

from grader.report.json_file import write_new, write_whole


def is_pristine(file: Path, stub: bytes) -> bool:
    """Whether the file is there as it was shipped, whatever its line ends. Raises `OSError`."""
    return file.exists() and file.read_bytes().splitlines() == stub.splitlines()


def reset(file: Path, stub: bytes) -> Path | None:
    """Put the stub back. Returns where the old file is kept; None where there was none.

    Its name does not end in `.py`, so Airflow does not take it for a DAG. Raises `OSError`.
    """
    kept = keep_beside(file) if file.exists() else None
    write_whole(stub, file)
    return kept


def keep_beside(file: Path) -> Path:
    """Copy a file to the first free name: `x.py.old-1`, `x.py.old-2`, ... Raises `OSError`."""
    data = file.read_bytes()
    number = 1
    while True:
        kept = file.with_name(f"{file.name}.old-{number}")
        try:
            write_new(data, kept)
            return kept
        except FileExistsError:
            number += 1
