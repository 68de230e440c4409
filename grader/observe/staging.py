"""Takes one file out of a submission and lays out the folder in which a scenario happens.

Only the part's DAG file is ever taken; data comes from the course. It must not run anything.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.course import Part
from grader.scenario import Scenario
from grader.transcript import Error

MAX_SOURCE = 1024 * 1024
CODE = (".py", ".pyc", ".md")


@dataclass(frozen=True)
class Source:
    """The part's file as it was handed in: its bytes, or why it cannot be taken."""

    path: Path
    data: bytes | None
    refusal: Error | None


def read_source(submission: Path, part: Part) -> Source:
    """Read the part's file once; everything else works on these bytes."""
    path = submission / part.slug / part.dag_file
    try:
        refusal = _refuse(path, submission)
        if refusal is None:
            data = path.read_bytes()
            refusal = _refuse_text(data)
            if refusal is None:
                return Source(path, data, None)
    except OSError as error:
        refusal = f"It cannot be read: {error.strerror}."
    except RuntimeError:  # before Python 3.13, for links that lead to each other
        refusal = "It is a link that leads to itself; hand in the file itself."
    return Source(path, None, Error(type="Refused", message=refusal))


def _refuse(path: Path, submission: Path) -> str | None:
    if not path.resolve().is_relative_to(submission.resolve()):
        return "It is a link that leads out of the folder; hand in the file itself."
    if not path.exists():
        return "There is no such file. Did it move, or get another name?"
    if not path.is_file():
        return "It is not a file."
    if path.stat().st_size > MAX_SOURCE:
        return "It is larger than 1 MiB; a DAG file is a few pages of text."
    return None


def _refuse_text(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "It is saved as UTF-16; save it again as UTF-8."
    if b"\0" in data:
        return "It is not a text file."
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return f"It is not UTF-8 text (line {line}); save it again as UTF-8."
    if not text.strip():
        return "It is empty."
    return None


def lay_out(folder: Path, exercises: Path, part: Part, source: bytes, scenario: Scenario) -> None:
    """Make `part/` (the file, the course's data, the scenario's files over it) and `work/`."""
    place = folder / "part"
    given = exercises / part.slug
    place.mkdir(parents=True)
    (folder / "work").mkdir()
    for path in sorted(given.rglob("*")):
        if path.is_file() and path.suffix not in CODE:
            target = place / path.relative_to(given)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    (place / part.dag_file).write_bytes(source)
    for file, text in scenario.files.items():
        target = place / safe(file)
        if text is None:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="")


def safe(name: str) -> PurePosixPath:
    """A path of a scenario's file. Raises `ValueError` if it leads out of the part's folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"a scenario's file must lie below the part's folder: {name}")
    return path
