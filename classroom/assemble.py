"""Puts the marks of files back together as the marks of learners.

It must not judge: a part without a mark stays without one, and the grader has the blame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from classroom.journal import Entry
from classroom.plan import Sources, Unit
from classroom.result import Basis, ClassResult, HandedIn, Learner, Marked
from grader.api import checks_hash, part_result, record_of
from grader.course import ROOT, Course, Part
from grader.judge.record import PartResult
from grader.observe.cache import engine_hash, files_hash

LOST = "The process that marked this part was ended twice. Mark the class again, in a sandbox."


def assemble(
    course: Course,
    parts: Sequence[Part],
    learners: Sequence[Learner],
    sources: Sources,
    units: Mapping[tuple[str, str], Unit],
    entries: Mapping[str, Entry],
    seed: int,
    sandbox: str,
) -> ClassResult:
    """The class, ordered by learner."""
    marked = []
    for learner in sorted(learners, key=lambda learner: learner.id):
        results, seconds = [], {}
        for part in parts:
            entry = entries.get(units[learner.id, part.slug].key)
            handed_in = next((h for h in learner.handed_in if h.part == part.slug), None)
            results.append(of_learner(entry.result if entry else lost(part), handed_in, part))
            if entry is not None:
                seconds[part.slug] = entry.seconds
        record = record_of(
            learner.source,
            list(parts),
            results,
            [sources.get((learner.id, part.slug), b"") for part in parts],
            seed,
        )
        marked.append(Marked(learner=learner, record=record, seconds=seconds))
    return ClassResult(
        title=course.title,
        seed=seed,
        sandbox=sandbox,
        engine=engine_hash(),
        basis=tuple(basis_of(part) for part in parts),
        learners=tuple(marked),
    )


def basis_of(part: Part) -> Basis:
    """What is installed here to mark a part with."""
    return Basis(
        part=part.slug,
        checks=checks_hash([part]),
        entry=hashlib.sha256(part.model_dump_json().encode()).hexdigest(),
        shipped=files_hash(ROOT / "exercises" / part.slug, b""),
    )


def of_learner(result: PartResult, handed_in: HandedIn | None, part: Part) -> PartResult:
    """The result with places in the learner's own file, as the learner packed it."""
    file = (handed_in and handed_in.file) or f"{part.slug}/{part.dag_file}"
    checks = []
    for check in result.checks:
        if check.location is not None:
            line = check.location.rpartition(":")[2]
            place = f"{file}:{line}" if line.isdecimal() else file
            check = check.model_copy(update={"location": place})
        checks.append(check)
    return result.model_copy(update={"checks": checks})


def lost(part: Part) -> PartResult:
    """A part that could not be marked."""
    result = part_result(ROOT, part, {})
    checks = [check.model_copy(update={"message": LOST}) for check in result.checks]
    return result.model_copy(update={"checks": checks})
