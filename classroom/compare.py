"""Two markings of a class side by side: whose mark moved, by which check, and after which change.

It must not mark, and it takes no side: what is new is not what is right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from classroom.outputs.standing import handed_in_of, marks_of, not_judged
from classroom.result import VERSION as CLASS_VERSION
from classroom.result import Basis, ClassResult, Marked
from grader.judge.record import CheckResult, PartResult, Record

VERSION: Final = 1
FILE = "class.json"
NAME_ONE = "Name a folder that `make class` wrote."
UNKNOWN = "nothing that is known to matter: mark both again"


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MovedCheck(_Plain):
    """A check that gives other marks than before; None is a check without a verdict, or none."""

    id: str
    task: int
    title: str
    old: int | None
    new: int | None


class MovedPart(_Plain):
    """A learner's mark of one part, before and now; None is no mark. `after` names what changed."""

    learner: str
    name: str
    part: str
    old: int | None
    new: int | None
    checks: tuple[MovedCheck, ...]
    after: tuple[str, ...]


class Comparison(_Plain):
    """All that moved between two markings, by learner and part. `came` and `left` are ids of
    learners, `added` and `dropped` slugs of parts that only one marking has; they move no mark.
    """

    version: Literal[1] = VERSION
    compared: int
    moved: tuple[MovedPart, ...]
    came: tuple[str, ...]
    left: tuple[str, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]


class Unusable(ValueError):
    """There is no marking there. The text is one line for a person."""


def load_class(place: Path) -> ClassResult:
    """Read the marking in a folder of outputs, or in a `class.json`. Raises `Unusable`."""
    path = place / FILE if place.is_dir() else place
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}. {NAME_ONE}") from error
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{path} is no JSON: {str(error)[:100]}. {NAME_ONE}") from error
    version = data.get("version") if isinstance(data, dict) else None
    if version != CLASS_VERSION:
        raise Unusable(
            f"{path} is no {FILE} of version {CLASS_VERSION}. Mark the class again to have one."
        )
    try:
        return ClassResult.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Unusable(f"{path} is no {FILE}: {where}: {first['msg']}.") from error


def compare(old: ClassResult, new: ClassResult) -> Comparison:
    """What moved. Learners are the same by their id, parts by their slug."""
    before = {marked.learner.id: marked for marked in old.learners}
    now = {marked.learner.id: marked for marked in new.learners}
    parts = {part.id for m in old.learners for part in m.record.parts}
    parts_now = {part.id for m in new.learners for part in m.record.parts}
    both = [id for id in now if id in before]
    return Comparison(
        compared=len(both),
        moved=tuple(m for id in both for m in moved_parts(old, new, before[id], now[id])),
        came=tuple(id for id in now if id not in before),
        left=tuple(id for id in before if id not in now),
        added=tuple(sorted(parts_now - parts)),
        dropped=tuple(sorted(parts - parts_now)),
    )


def moved_parts(
    old: ClassResult, new: ClassResult, before: Marked, now: Marked
) -> Iterator[MovedPart]:
    """The parts of one learner in which a check gives other marks."""
    earlier = {part.id: part for part in before.record.parts}
    for part in now.record.parts:
        if part.id not in earlier:
            continue
        checks = tuple(moved_checks(earlier[part.id], part))
        if checks:
            yield MovedPart(
                learner=now.learner.id,
                name=now.learner.name,
                part=part.id,
                old=marks_of(earlier[part.id]),
                new=marks_of(part),
                checks=checks,
                after=tuple(changes(old, new, before, now, part.id)) or (UNKNOWN,),
            )


def moved_checks(old: PartResult, new: PartResult) -> Iterator[MovedCheck]:
    """Checks whose marks are not those of before, also where they add up to the same."""
    before = {check.id: check for check in old.checks}
    now = {check.id: check for check in new.checks}
    for id, check in (before | now).items():
        marks = worth(before.get(id)), worth(now.get(id))
        if marks[0] != marks[1]:
            yield MovedCheck(id=id, task=check.task, title=check.title, old=marks[0], new=marks[1])


def worth(check: CheckResult | None) -> int | None:
    """The marks that a check gave; None where there is no verdict."""
    return None if check is None or not_judged(check) else check.points


def changes(
    old: ClassResult, new: ClassResult, before: Marked, now: Marked, part: str
) -> Iterator[str]:
    """What a mark depends on, and is not what it was."""
    files = handed_in_of(before, part), handed_in_of(now, part)
    if files[0].sha256 != files[1].sha256:
        yield file_change(files[0].sha256, files[1].sha256)
    was, is_now = basis(old.basis, part), basis(new.basis, part)
    if was and is_now:
        if was.checks != is_now.checks:
            yield "the part's checks changed"
        if was.entry != is_now.entry:
            yield "the part's points or limits changed"
        if was.shipped != is_now.shipped:
            yield "the part's lesson or data changed"
    elif before.record.hashes.checks != now.record.hashes.checks:
        yield "the checks changed"
    if old.seed != new.seed:
        yield f"another seed: {old.seed}, now {new.seed}"
    if old.sandbox != new.sandbox:
        yield f"another sandbox: {old.sandbox}, now {new.sandbox}"
    versions = list(version_changes(before.record, now.record))
    yield from versions
    if old.engine != new.engine and not versions:
        yield "the grader's own code changed"


def file_change(old: str | None, new: str | None) -> str:
    """What became of a learner's file."""
    if old is None:
        return "the file was handed in"
    return "their file changed" if new else "the file is not there any more"


def basis(known: Iterable[Basis], part: str) -> Basis | None:
    """What a part was marked with, if that was noted."""
    return next((one for one in known if one.part == part), None)


def version_changes(old: Record, new: Record) -> Iterator[str]:
    """Programs of another version."""
    for name, field in (("grader", "grader"), ("Airflow", "airflow"), ("Python", "python")):
        was, is_now = getattr(old.versions, field), getattr(new.versions, field)
        if was != is_now:
            yield f"another {name}: {was}, now {is_now}"
