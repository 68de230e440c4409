"""What has to be marked, once each, and what may run in one sandbox with what.

It must not mark, and it never runs or reads what was handed in beyond its bytes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classroom.result import Learner
from grader.api import checks_hash
from grader.course import ROOT, Part
from grader.observe.cache import engine_hash, files_hash

Sources = Mapping[tuple[str, str], bytes]


@dataclass(frozen=True)
class Unit:
    """One file of one part, whoever handed it in; `source` None is a part that nobody did.

    `key` names all that its mark depends on.
    """

    part: Part
    source: bytes | None
    key: str


@dataclass(frozen=True)
class Session:
    """Units that run in one sandbox: those which the same learners handed in, so that what a file
    does can only touch marks of the learners it is from.
    """

    owners: tuple[str, ...]
    units: tuple[Unit, ...] = field(default=())


def unit_of(part: Part, source: bytes | None, seed: int, sandbox: str) -> Unit:
    """The unit of a file, under the checks, the data and the engine that are installed."""
    given = files_hash(ROOT / "exercises" / part.slug, source or b"")
    text = "\n".join(
        [
            part.model_dump_json(),
            str(seed),
            sandbox,
            "handed in" if source is not None else "missing",
            given,
            checks_hash([part]),
            engine_hash(),
        ]
    )
    return Unit(part, source, hashlib.sha256(text.encode()).hexdigest())


def units_by_owner(
    learners: Sequence[Learner],
    sources: Sources,
    parts: Sequence[Part],
    seed: int,
    sandbox: str,
) -> dict[tuple[str, str], Unit]:
    """The unit of each learner and part (slug)."""
    return {
        (learner.id, part.slug): unit_of(part, sources.get((learner.id, part.slug)), seed, sandbox)
        for learner in learners
        for part in parts
    }


def sessions(units: Mapping[tuple[str, str], Unit], done: set[str]) -> list[Session]:
    """What is left to do: first what several learners share, then learner by learner."""
    owners: defaultdict[str, list[str]] = defaultdict(list)
    known: dict[str, Unit] = {}
    for (owner, _), unit in units.items():
        if unit.key not in done:
            owners[unit.key].append(owner)
            known[unit.key] = unit
    together: defaultdict[tuple[str, ...], list[Unit]] = defaultdict(list)
    for key, names in owners.items():
        together[tuple(names)].append(known[key])
    found = [Session(names, tuple(mine)) for names, mine in together.items()]
    return sorted(found, key=lambda session: (-len(session.owners), session.owners))
