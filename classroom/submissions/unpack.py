"""Reads the Python files out of a folder or an archive, into memory and with an end to everything.

Nothing is ever extracted to the disk, no link is followed, and no name leads anywhere.
"""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from grader.observe.staging import MAX_SOURCE

ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
ARCHIVES = (*ZIPS, *TARS)
UNREADABLE = (".7z", ".rar")
CODE = (".py", ".py.txt")
# Folders of tools, in which there is no work of the learner's.
OF_TOOLS = {"__macosx", "__pycache__", "node_modules", "site-packages", "venv"}
DEEPEST = 3  # archives in archives
MOST_ENTRIES, MOST_FILES = 50_000, 500
MOST_ARCHIVE = 256 << 20  # bytes of an archive inside an archive
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, UnicodeError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A Python file as it was packed. `changed` is in seconds, to tell which of two is newer."""

    path: PurePosixPath
    changed: float
    data: bytes = field(repr=False)


class TooMuch(ValueError):
    """More than any course's work: a bomb, or somebody's whole disk."""


class Unpacked:
    """What there is in one entry: files, and sentences on what could not be read."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self.notes: list[str] = []
        self._entries = 0

    def read(self, entry: Path) -> None:
        """A folder, an archive or a single file."""
        name = clean_path(entry.name)
        if entry.is_symlink():
            self.notes.append(f"{name} is a link, and links are not followed.")
        elif entry.is_dir():
            self._guarded(name, lambda: self._folder(entry, name))
        else:
            self._guarded(name, lambda: self._file_on_disk(entry, name))

    def _guarded(self, name: PurePosixPath, read: Callable[..., None]) -> None:
        try:
            read()
        except TooMuch as problem:
            self.notes.append(f"{name} {problem}")
        except DAMAGED as error:
            self.notes.append(f"{name} cannot be read: {reason(error)}.")

    def _folder(self, folder: Path, name: PurePosixPath) -> None:
        waiting = [(folder, name)]
        while waiting:
            place, path = waiting.pop()
            for entry in sorted(os.scandir(place), key=lambda e: e.name):
                self._count()
                below = path / clean_name(entry.name)
                if entry.is_symlink():
                    if is_code(below) or not below.suffix:
                        self.notes.append(f"{below} is a link, and links are not followed.")
                elif entry.is_dir(follow_symlinks=False):
                    if not is_of_tools(below):
                        waiting.append((Path(entry.path), below))
                elif entry.is_file(follow_symlinks=False):
                    self._guarded(below, lambda e=entry, b=below: self._file_on_disk(Path(e), b))
                elif is_code(below):
                    self.notes.append(f"{below} is not a file.")

    def _file_on_disk(self, file: Path, path: PurePosixPath) -> None:
        if is_code(path) or is_archive(path):
            with open(file, "rb") as opened:
                self._file(opened, path, file.stat().st_mtime, 1)
        elif path.name.lower().endswith(UNREADABLE):
            self.notes.append(f"{path} is no zip; have it packed as .zip.")

    def _file(self, opened: IO[bytes], path: PurePosixPath, changed: float, depth: int) -> None:
        if is_code(path):
            if len(self.files) == MOST_FILES:
                raise TooMuch(f"is one of more than {MOST_FILES} Python files.")
            self.files.append(File(path, changed, opened.read(MAX_SOURCE + 1)))
        elif depth > DEEPEST:
            self.notes.append(f"{path} is packed too deep.")
        elif path.name.lower().endswith(ZIPS):
            self._zip(opened, path, depth)
        else:
            self._tar(opened, path, depth)

    def _zip(self, opened: IO[bytes], path: PurePosixPath, depth: int) -> None:
        start = opened.read(64).lstrip()
        if start.startswith((b"<", b"{")):
            raise ValueError("it is a web page, not a zip; it has to be downloaded again")
        opened.seek(0)
        with zipfile.ZipFile(opened) as archive:
            for info in archive.infolist():
                self._count()
                below = path / clean_path(zip_name(info))
                if info.is_dir() or is_of_tools(below) or not is_wanted(below):
                    continue
                if info.external_attr >> 28 == 0o12:
                    self.notes.append(f"{below} is a link, and links are not followed.")
                    continue
                self._guarded(
                    below,
                    lambda i=info, b=below: self._member(archive.open(i), b, zip_time(i), depth),
                )

    def _tar(self, opened: IO[bytes], path: PurePosixPath, depth: int) -> None:
        with tarfile.open(fileobj=opened) as archive:
            for info in archive:
                self._count()
                below = path / clean_path(info.name)
                if is_of_tools(below) or not is_wanted(below):
                    continue
                if not info.isfile():
                    self.notes.append(f"{below} is a link or no file, and not followed.")
                    continue
                member = archive.extractfile(info)
                assert member is not None
                self._member(member, below, float(info.mtime), depth)

    def _member(self, opened: IO[bytes], path: PurePosixPath, changed: float, depth: int) -> None:
        with opened:
            if is_archive(path):  # in memory, since a part of an archive cannot be gone back in
                data = opened.read(MOST_ARCHIVE + 1)
                if len(data) > MOST_ARCHIVE:
                    raise TooMuch("is larger than any course's work.")
                self._file(io.BytesIO(data), path, changed, depth + 1)
            else:
                self._file(opened, path, changed, depth)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            raise TooMuch(f"holds more than {MOST_ENTRIES:,} files.")


def reason(error: Exception) -> str:
    """A few words for a person."""
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "it has a password"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, zipfile.BadZipFile | tarfile.TarError | zlib.error | EOFError):
        return "it is damaged, or no archive"
    return str(error)[:200] or "it is damaged"


def is_code(path: PurePosixPath) -> bool:
    """Whether a name is one of a Python file."""
    return path.name.lower().endswith(CODE) and not path.name.startswith("._")


def is_archive(path: PurePosixPath) -> bool:
    """Whether a name is one of an archive that can be read."""
    return path.name.lower().endswith(ARCHIVES) and not path.name.startswith("._")


def is_wanted(path: PurePosixPath) -> bool:
    """Whether there may be something in it."""
    return is_code(path) or is_archive(path)


def is_of_tools(path: PurePosixPath) -> bool:
    """Whether a path lies in a folder that some tool made, such as `.git`; the entry may have any
    name.
    """
    return any(p.lower() in OF_TOOLS or p.startswith(".") for p in path.parts[1:])


def zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a zip's member. Many programs write UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def zip_time(info: zipfile.ZipInfo) -> float:
    """Seconds; 0 where the zip names a day that there never was."""
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def clean_path(name: str) -> PurePosixPath:
    """A path that leads nowhere else, whatever it was: backslashes, drives, `..`, a root."""
    parts = [clean_name(part) for part in name.replace("\\", "/").split("/")]
    return PurePosixPath(*[part for part in parts if part not in ("", ".", "..")])


def clean_name(name: str) -> str:
    """One spelling for each name, and nothing that cannot be seen or shown."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()
