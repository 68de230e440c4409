"""What a class has in common: checks that many fail, wrong observations that are the same, and what
takes long.

Only parts that somebody began count: a stub as it was shipped fails everything, which is no news.
It must not judge.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from classroom.outputs.own_code import OwnCode
from classroom.outputs.standing import Standing
from classroom.result import ClassResult, Marked
from grader.judge.record import CheckResult, PartResult

Standings = dict[tuple[str, str], Standing]
SLOWEST = 10
HAPPENED = re.compile(r"^Happened: (.*?)(?=^Expected: |\Z)", re.MULTILINE | re.DOTALL)
THEIR_LINE = re.compile(r" \(in `.*`\)", re.DOTALL)
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
QUOTED = re.compile(r"(?<=[`'\"])\w+(?=[`'\"])")


@dataclass(frozen=True)
class Rate:
    """How one check came out for those who began its part; `check` tells its title and task."""

    part: str
    check: CheckResult
    passed: int
    failed: int
    not_checked: int

    @property
    def begun(self) -> int:
        return self.passed + self.failed + self.not_checked

    @property
    def share(self) -> float:
        """Of those for whom it could be checked, how many failed."""
        judged = self.passed + self.failed
        return self.failed / judged if judged else 0.0


@dataclass(frozen=True)
class Cluster:
    """Learners of whose code the same wrong thing was observed: in one part, by any of `checks`;
    `checks[0]` is that of the first learner, whose values its message holds.
    """

    part: str
    learners: tuple[str, ...]
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Slow:
    """Real seconds that the marking of one part took."""

    learner: str
    part: str
    seconds: float


def rates(result: ClassResult, standings: Standings) -> list[Rate]:
    """Every check, in the order of the course."""
    declared: dict[tuple[str, str], CheckResult] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for marked, part in all_parts(result):
        begun = standings[marked.learner.id, part.id] == "begun"
        for check in part.checks:
            declared.setdefault((part.id, check.id), check)
            counts[part.id, check.id, check.status] += begun
    return [
        Rate(
            part,
            check,
            passed=counts[part, name, "passed"],
            failed=counts[part, name, "failed"],
            not_checked=counts[part, name, "not_checked"],
        )
        for (part, name), check in declared.items()
    ]


def clusters(
    result: ClassResult, standings: Standings, codes: Mapping[tuple[str, str], OwnCode]
) -> list[Cluster]:
    """Wrong observations, those of most learners first."""
    found: defaultdict[tuple[str, str], list[tuple[str, CheckResult]]] = defaultdict(list)
    for marked, part in all_parts(result):
        place = marked.learner.id, part.id
        if standings[place] in ("begun", "broken"):
            for check in part.checks:
                if check.status == "failed":
                    text = observation(check.message or "", codes[place].made_up)
                    found[part.id, text].append((marked.learner.id, check))
    made = []
    for (slug, _), members in found.items():
        learners = tuple(dict.fromkeys(learner for learner, _ in members))
        checks: dict[str, CheckResult] = {}
        for _, check in members:
            checks.setdefault(check.id, check)
        made.append(Cluster(slug, learners, tuple(checks.values())))
    return sorted(made, key=lambda c: (-len(c.learners), c.part, c.checks[0].task, c.learners))


def observation(message: str, made_up: frozenset[str]) -> str:
    """What happened, without what only this learner can have: their own line, names that they made
    up, places in memory.
    """
    found = HAPPENED.search(message)
    text = THEIR_LINE.sub("", found[1] if found else message)
    text = QUOTED.sub(lambda name: "..." if name[0] in made_up else name[0], text)
    return " ".join(ADDRESS.sub("0x...", text).split())


def slowest(result: ClassResult) -> list[Slow]:
    """What took longest."""
    found = [
        Slow(marked.learner.id, part, seconds)
        for marked in result.learners
        for part, seconds in marked.seconds.items()
    ]
    return sorted(found, key=lambda slow: (-slow.seconds, slow.learner, slow.part))[:SLOWEST]


def all_parts(result: ClassResult) -> list[tuple[Marked, PartResult]]:
    """Each learner with each of their parts."""
    return [(marked, part) for marked in result.learners for part in marked.record.parts]
