"""Files that are written whole or not at all, and the record as one of them.

It must not change the record: what is written is what was judged.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

from grader.judge.record import Record


def write_json(record: Record, path: Path) -> None:
    """Write `record` to `path` through a temporary file beside it.

    Raises `OSError` with a sentence for a person. A file that stood there before stays as it was.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file, so the JSON report was not written.")
    target = path.resolve()
    if not target.parent.exists():
        raise FileNotFoundError(
            f"The folder {path.parent} does not exist, so the JSON report was not written."
        )
    text = json.dumps(record.model_dump(), indent=2, ensure_ascii=False) + "\n"
    try:
        write_whole(text.encode("utf-8", "replace"), target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(f"The JSON report {path} was not written: {reason}.") from error


def write_whole(data: bytes, path: Path) -> None:
    """Write a file through a temporary one beside it; a link is replaced, not followed.

    Raises `OSError`. A file that stood there before stays as it was until all is written.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.tmp")
    write_new(data, temporary)
    try:
        os.replace(temporary, path)
    except OSError:
        temporary.unlink()
        raise
    _sync_folder(path.parent)


def write_new(data: bytes, path: Path) -> None:
    """Create `path` with the mode that the umask gives, and wait until the disk has it.

    Raises `OSError`: `FileExistsError` where there is something already. Half a file never stays.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new name last as well, where folders can be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
