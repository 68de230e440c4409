"""Whose code is alike, beyond what everybody was given: a reason to look, no proof.

Three things are no news and are taken out before two learners are compared: what the stub has, what
the solution has, and what more than half of the class has. It must not judge.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from classroom.outputs.own_code import OwnCode, Statement

ENOUGH = 20  # words of news; with fewer, two people may well write the same
MUCH = 35  # words in all; with fewer, even the same file may come about by chance
ALIKE = 0.75
SOLUTION = 0.9
FEWEST = 4  # people who make a habit
SHOWN = 6  # lines of each part

NoNews = set[tuple[str, ...]]


@dataclass(frozen=True)
class Work:
    """What one learner did of one part."""

    learner: str
    sha256: str
    code: OwnCode


@dataclass(frozen=True)
class Group:
    """Learners (ids) who have something in common in some parts."""

    parts: tuple[str, ...]
    learners: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """How alike two are in one part: `score` from 0 to 1 over `tokens` of the shorter one, and the
    longest lines that both have.
    """

    part: str
    score: float
    tokens: int
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two learners (ids) and the parts in which they are alike."""

    learners: tuple[str, str]
    parts: tuple[Alike, ...]

    @property
    def weight(self) -> float:
        return sum(part.score * part.tokens for part in self.parts)


@dataclass(frozen=True)
class Similarity:
    """All that is alike in a class, the most telling first: files that are the same; code that is
    the same but for names, comments and spacing; code that is the solution's; and pairs. Where
    several have the same code, the first of them stands for all in `pairs`.
    """

    same_file: tuple[Group, ...]
    same_code: tuple[Group, ...]
    as_solution: tuple[Group, ...]
    pairs: tuple[Pair, ...]


def similarity(works: Mapping[str, list[Work]], solutions: Mapping[str, OwnCode]) -> Similarity:
    """Compare what a class did, by part (slug). Who wrote nothing of a part is not in it."""
    files: list[Group] = []
    codes: list[Group] = []
    solved: list[Group] = []
    pairs: defaultdict[tuple[str, str], list[Alike]] = defaultdict(list)
    for part, of_all in works.items():
        mine = [work for work in of_all if work.code.statements]
        much = [work for work in mine if len(work.code.tokens) >= MUCH]
        files += groups(part, same(much, lambda work: work.sha256))
        solved += groups(part, [[w for w in much if is_like(w.code, solutions[part])]], fewest=1)
        texts = same(mine, lambda work: work.code.tokens)
        no_news = {s.tokens for s in solutions[part].statements} | habits([t[0] for t in texts])
        texts = [text for text in texts if len(tokens_of(news(text[0], no_news))) >= ENOUGH]
        codes += groups(part, [text for text in texts if len({w.sha256 for w in text}) > 1])
        for people, alike in alike_in(part, [text[0] for text in texts], no_news):
            pairs[people].append(alike)
    made = [Pair(people, tuple(parts)) for people, parts in pairs.items()]
    made.sort(key=lambda pair: (-pair.weight, pair.learners))
    return Similarity(together(files), together(codes), together(solved), tuple(made))


def same(works: Iterable[Work], key: Callable[[Work], Hashable]) -> list[list[Work]]:
    """Works by what is the same in them."""
    found: defaultdict[Hashable, list[Work]] = defaultdict(list)
    for work in works:
        found[key(work)].append(work)
    return list(found.values())


def groups(part: str, works: Iterable[list[Work]], fewest: int = 2) -> list[Group]:
    """The people of each group that is one."""
    return [Group((part,), tuple(w.learner for w in some)) for some in works if len(some) >= fewest]


def together(found: Iterable[Group]) -> tuple[Group, ...]:
    """One group for the same people; those with most parts come first, then the largest."""
    parts: defaultdict[tuple[str, ...], tuple[str, ...]] = defaultdict(tuple)
    for group in found:
        parts[group.learners] += group.parts
    made = [Group(theirs, learners) for learners, theirs in parts.items()]
    made.sort(key=lambda group: (-len(group.parts), -len(group.learners), group.parts))
    return tuple(made)


def is_like(code: OwnCode, solution: OwnCode) -> bool:
    """Whether it is the solution's code, but for a slip."""
    if len(solution.tokens) < MUCH:
        return False
    return Indel.normalized_similarity(code.tokens, solution.tokens) >= SOLUTION


def habits(works: Sequence[Work]) -> NoNews:
    """Statements that more than half of the class has."""
    counts = Counter(
        tokens for work in works for tokens in {s.tokens for s in work.code.statements}
    )
    return {t for t, count in counts.items() if count >= FEWEST and count > len(works) / 2}


def news(work: Work, no_news: NoNews) -> list[Statement]:
    """What is left of a work."""
    return [statement for statement in work.code.statements if statement.tokens not in no_news]


def tokens_of(statements: Iterable[Statement]) -> list[str]:
    """All tokens, in order."""
    return [token for statement in statements for token in statement.tokens]


def alike_in(
    part: str, works: Sequence[Work], no_news: NoNews
) -> Iterator[tuple[tuple[str, str], Alike]]:
    """The pairs of one part whose news is alike."""
    own = [news(work, no_news) for work in works]
    tokens = [tokens_of(statements) for statements in own]
    if len(works) < 2:
        return
    scores = cdist(tokens, tokens, scorer=Indel.normalized_similarity, score_cutoff=ALIKE)
    for one, other in zip(*scores.nonzero(), strict=True):
        if one < other:
            people = works[one].learner, works[other].learner
            yield (
                people,
                Alike(
                    part=part,
                    score=round(float(scores[one, other]), 3),
                    tokens=min(len(tokens[one]), len(tokens[other])),
                    shared=in_both(own[one], own[other]),
                ),
            )


def in_both(one: Iterable[Statement], other: Iterable[Statement]) -> tuple[str, ...]:
    """The longest lines that both have, in order, as the first of the two wrote them."""
    theirs = {statement.tokens for statement in other}
    both = {s.line: len(s.tokens) for s in one if s.tokens in theirs}
    longest = sorted(both, key=lambda line: -both[line])[:SHOWN]
    return tuple(line for line in both if line in longest)
