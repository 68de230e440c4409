"""Finds a learner's file for each part, and says so where somebody could think of another one.

It reads Python files as text and as syntax; it must not run them.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Sequence

from classroom.result import HandedIn
from classroom.submissions.names import is_file_of, is_folder_of
from classroom.submissions.unpack import File
from grader.course import Course, Part

# Who hands in the whole course hands these in too, and did not write them.
NOT_THEIRS = {"solutions", "tests"}


def find_parts(
    files: Sequence[File], course: Course
) -> tuple[tuple[HandedIn, ...], dict[str, bytes]]:
    """What was handed in for each part, and the bytes by part (slug)."""
    named = {p.slug: [f for f in files if is_file_of(f.path.name, p)] for p in course.part}
    taken = {file.path for found in named.values() for file in found}
    nameless = [file for file in files if file.path not in taken]
    handed_in, sources = [], {}
    for part in course.part:
        notes: list[str] = []
        candidates = sorted(named[part.slug], key=lambda file: rank(file, part))
        if not candidates:
            candidates = sorted(
                (f for f in nameless if declares(f.data, part)), key=lambda f: rank(f, part)
            )
            notes += [f"{f.path} was taken for its DAG, not its name." for f in candidates[:1]]
        if not candidates:
            handed_in.append(HandedIn(part=part.slug))
            continue
        first = candidates[0]
        if not_theirs(first):
            notes.append(f"{first.path} is in a folder that comes with the course.")
        notes += competitors(candidates, part)
        sources[part.slug] = first.data
        handed_in.append(
            HandedIn(
                part=part.slug,
                file=first.path.as_posix(),
                sha256=hashlib.sha256(first.data).hexdigest(),
                notes=tuple(notes),
            )
        )
    return tuple(handed_in), sources


def rank(file: File, part: Part) -> tuple[bool, bool, bool, int, float, str]:
    """Which of several counts: the one in the part's folder, then the one with the right name, the
    one that lies highest, the newest.
    """
    return (
        not_theirs(file),
        not in_folder(file, part),
        file.path.name != part.dag_file,
        len(file.path.parts),
        -file.changed,
        file.path.as_posix(),
    )


def not_theirs(file: File) -> bool:
    """Whether it lies where the course keeps what learners do not write."""
    return any(place.lower() in NOT_THEIRS for place in file.path.parts[1:-1])


def in_folder(file: File, part: Part) -> bool:
    """Whether it lies in a folder named after the part."""
    return any(is_folder_of(place, part) for place in file.path.parts[-2:-1])


def competitors(candidates: Sequence[File], part: Part) -> list[str]:
    """A sentence if another file could have been meant just as well."""
    first = candidates[0]
    others = [
        file.path.as_posix()
        for file in candidates[1:]
        if file.data != first.data and not_theirs(file) == not_theirs(first)
    ]
    if not others:
        return []
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return [f"There are several versions: {first.path} was taken, not {others[0]}{more}."]


def declares(data: bytes, part: Part) -> bool:
    """Whether a file declares the part's DAG, as far as its text tells."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "dag_id":
            if isinstance(node.value, ast.Constant) and node.value.value == part.dag_id:
                return True
        elif isinstance(node, ast.FunctionDef) and node.name == part.dag_id:
            return True
    return False
