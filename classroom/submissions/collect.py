"""Goes through a class's folder and makes a learner of each entry.

It must not mark, and whatever is wrong with one entry stays with that learner.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from classroom.result import Learner
from classroom.submissions.find import find_parts
from classroom.submissions.names import CANVAS, Person, distinct, person_of
from classroom.submissions.unpack import (
    ARCHIVES,
    CODE,
    OF_TOOLS,
    UNREADABLE,
    Unpacked,
    clean_name,
)
from grader.course import Course


@dataclass(frozen=True)
class Collected:
    """A class, ordered by id; `sources` by learner id and part (slug), where there is a file;
    `problems` are sentences on entries that are nobody's.
    """

    learners: tuple[Learner, ...]
    sources: dict[tuple[str, str], bytes]
    problems: tuple[str, ...]


def collect(folder: Path, course: Course) -> Collected:
    """What there is directly below `folder`. Raises `OSError` if that cannot be listed."""
    entries: defaultdict[Person, list[Path]] = defaultdict(list)
    problems = []
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        name = clean_name(entry.name)
        if name.startswith(".") or name.lower() in OF_TOOLS:
            continue
        if is_somebodys(entry, name):
            entries[person_of(name)].append(entry)
        else:
            problems.append(f"{name} was left out: {why_nobodys(name)}")
    same = Counter(person.id for person in entries)
    learners, sources = [], {}
    for person, theirs in entries.items():
        source = " + ".join(entry.name for entry in theirs)
        own_id = person.id if same[person.id] == 1 else distinct(person, source)
        unpacked = Unpacked()
        for entry in theirs:
            unpacked.read(entry)
        handed_in, found = find_parts(unpacked.files, course)
        notes = list(unpacked.notes)
        if len(theirs) > 1 and not all(CANVAS.match(entry.name) for entry in theirs):
            notes.append(f"There are {len(theirs)} entries: {clean_name(source)}.")
        if not found:
            notes.append("No part of the course was found.")
        learners.append(
            Learner(
                id=own_id,
                name=person.name,
                number=person.number,
                source=clean_name(source),
                handed_in=handed_in,
                notes=tuple(notes),
            )
        )
        sources.update({(own_id, slug): data for slug, data in found.items()})
    learners.sort(key=lambda learner: learner.id)
    return Collected(tuple(learners), sources, tuple(problems))


def is_somebodys(entry: Path, name: str) -> bool:
    """Whether an entry is a submission: a folder, an archive, a single file from Canvas."""
    lower = name.lower()
    if entry.is_dir() or lower.endswith((*ARCHIVES, *UNREADABLE)):
        return True
    return lower.endswith(CODE) and CANVAS.match(name) is not None


def why_nobodys(name: str) -> str:
    """What to do about it."""
    if name.lower().endswith(CODE):
        return "put it into a folder with its learner's name."
    return "it is neither a folder nor an archive."
