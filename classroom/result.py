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
    people, `number` is the learning platform's, if it gave one; `source` is the folder or zip file,
    relative to the class's folder.
    """

    id: str = Field(pattern=r"^[\w.-]+$")
    name: str
    number: str = ""
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


class Basis(_Plain):
    """What the marks of one part depend on beside the learner's file and the seed, as SHA-256: the
    hidden checks, the part's entry in `course.toml`, and what the course ships in its folder.
    """

    part: str
    checks: str
    entry: str
    shipped: str


class ClassResult(_Plain):
    """A marked class, ordered by learner id. `class.json` is this, as JSON. `engine` is the SHA-256
    of what runs submissions, with its Airflow and Python.
    """

    version: Literal[1] = VERSION
    title: str
    seed: int
    sandbox: str
    engine: str = ""
    basis: tuple[Basis, ...] = ()
    learners: tuple[Marked, ...]
