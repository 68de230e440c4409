"""What names tell: whose entry it is, and which part a file belongs to.

It must not open anything.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import NamedTuple

from classroom.submissions.unpack import ARCHIVES, UNREADABLE, clean_name
from grader.course import Part

# What learning platforms put around a name.
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w*$")
CANVAS = re.compile(r"^(?P<name>[^\W_]+?)(?:_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+)$")
# What browsers, platforms and people put behind a file's name: ` (1)`, `-2`, ` - Copy`.
COPY = re.compile(r"(?:[ _-]*(?:\(\d{1,2}\)|copy|kopie|copie|final|[-_]\d{1,2}))+$", re.IGNORECASE)
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$")
LONGEST = 60


class Person(NamedTuple):
    """A name for people, and the platform's number for them, if there is one."""

    name: str
    number: str = ""

    @property
    def id(self) -> str:
        """A name for files, on every system. Two people may come to the same one."""
        text = unicodedata.normalize("NFC", self.name.casefold())
        text = re.sub(r"[^\w]+", "-", text).strip("-_")[:LONGEST]
        text = "-".join(filter(None, (text, self.number)))
        return f"learner-{text}".rstrip("-") if not text or RESERVED.match(text) else text


def person_of(entry: str) -> Person:
    """Whose entry it is, by the name of its folder or archive, or of a single file from Canvas."""
    name = without_suffix(clean_name(entry))
    found = MOODLE.match(name) or CANVAS.match(name)
    if found:
        return Person(found["name"].strip(), found["number"])
    return Person(name or "nobody")


def without_suffix(name: str) -> str:
    """A folder's or archive's name without what tells its kind."""
    for suffix in sorted((*ARCHIVES, *UNREADABLE), key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)].rstrip()
    return name


def distinct(person: Person, source: str) -> str:
    """An id for one of several people who come to the same one."""
    return f"{person.id}-{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def is_file_of(name: str, part: Part) -> bool:
    """Whether a file's name is that of the part's DAG file, but for what was put around it."""
    wanted = part.dag_file.removesuffix(".py")
    stem = re.sub(r"\.py(\.txt)?$", "", name, flags=re.IGNORECASE)
    from_canvas = CANVAS.match(stem)
    stem = (from_canvas["file"] if from_canvas else stem).casefold().strip()
    return wanted in (stem, COPY.sub("", stem).strip())


def is_folder_of(name: str, part: Part) -> bool:
    """Whether a folder's name is that of the part, but for what was put behind it."""
    return part.slug in (name.casefold(), COPY.sub("", name.casefold()).strip())
