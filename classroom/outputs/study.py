"""Everything that the outputs say of a class as a whole, found once.

It must not render anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from classroom.outputs.insight import (
    Cluster,
    Rate,
    Slow,
    Standings,
    all_parts,
    clusters,
    rates,
    slowest,
)
from classroom.outputs.own_code import Given, OwnCode
from classroom.outputs.similar import Similarity, Work, similarity
from classroom.outputs.standing import handed_in_of, standing_of
from classroom.plan import Sources
from classroom.result import ClassResult


@dataclass(frozen=True)
class Study:
    """What is known of a class beside its marks; `standings` by learner id and part (slug)."""

    standings: Standings
    rates: list[Rate]
    clusters: list[Cluster]
    slowest: list[Slow]
    similarity: Similarity


def study(result: ClassResult, sources: Sources, given: Mapping[str, Given]) -> Study:
    """Look at a class. `given` is by part (slug)."""
    read: dict[tuple[str, bytes], OwnCode] = {}
    codes: dict[tuple[str, str], OwnCode] = {}
    standings: Standings = {}
    works: dict[str, list[Work]] = {slug: [] for slug in given}
    for marked, part in all_parts(result):
        place = marked.learner.id, part.id
        source = sources.get(place, b"")
        if (part.id, source) not in read:
            read[part.id, source] = given[part.id].own(source)
        code = codes[place] = read[part.id, source]
        handed_in = handed_in_of(marked, part.id)
        standings[place] = standing_of(part, handed_in, code)
        works[part.id].append(Work(marked.learner.id, handed_in.sha256 or "", code))
    return Study(
        standings=standings,
        rates=rates(result, standings),
        clusters=clusters(result, standings, codes),
        slowest=slowest(result),
        similarity=similarity(works, {slug: part.solution for slug, part in given.items()}),
    )
