"""What is known of a class after marking: the one thing that every output is a rendering of.

Plain data. It must not know how it is shown, and it must not mark.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from grader.judge.record import Record

VERSION: Final = 1


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HandedIn(_Plain):
    """What a learner handed in for one part. `file` is its path as the learner packed it, and
    `sha256` is that of its bytes as they are marked; both are None where the part is missing.
    `notes` are sentences for the instructor, such as which of two versions was taken.
    """

    part: str
    file: str | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()


class Learner(_Plain):
    """One learner of the class. `id` is unique in the class and can be a file name; `name` is for
    people; `source` is the folder or zip file, relative to the class's folder.
    """

    id: str = Field(pattern=r"^[\w.-]+$")
    name: str
    source: str
    handed_in: tuple[HandedIn, ...] = ()
    notes: tuple[str, ...] = ()


class Marked(_Plain):
    """A learner with all marks. `seconds` is real time by part; a part that is the same as
    somebody else's was marked once, so its time is that one marking's.
    """

    learner: Learner
    record: Record
    seconds: dict[str, float] = Field(default_factory=dict)


class ClassResult(_Plain):
    """A marked class, ordered by learner id. `class.json` is this, as JSON."""

    version: Literal[1] = VERSION
    title: str
    seed: int
    sandbox: str
    learners: tuple[Marked, ...]
