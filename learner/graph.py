"""A graph of tasks, and in what the order of two graphs differs.

Two graphs say the same if every task waits, directly or not, for the same ones. An arrow that only
says again what others say already makes no difference. It must not know where a graph comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

Edge = tuple[str, str]


@dataclass(frozen=True)
class Graph:
    """Task ids in the order in which they were written, and pairs (earlier, later).

    `notes` holds, by task, what is worth saying about one.
    """

    tasks: tuple[str, ...]
    edges: frozenset[Edge]
    notes: dict[str, str] = field(default_factory=dict)

    def before(self, task: str) -> list[str]:
        """The tasks that a task waits for directly."""
        return [t for t in self.tasks if (t, task) in self.edges]

    @cached_property
    def paths(self) -> frozenset[Edge]:
        """Pairs (earlier, later), also those with other tasks in between."""
        later: dict[str, set[str]] = {t: set() for t in self.tasks}
        for start in self.tasks:
            waiting = [start]
            while waiting:
                here = waiting.pop()
                for a, b in self.edges:
                    if a == here and b not in later[start]:
                        later[start].add(b)
                        waiting.append(b)
        return frozenset((a, b) for a, found in later.items() for b in found)

    @cached_property
    def needed(self) -> frozenset[Edge]:
        """The edges without those that a longer way implies."""
        return frozenset(
            (a, b)
            for a, b in self.edges
            if not any((a, m) in self.paths and (m, b) in self.paths for m in self.tasks)
        )


@dataclass(frozen=True)
class Difference:
    """What one graph lacks, and has too much, when it is held against the one expected."""

    missing_tasks: list[str]
    extra_tasks: list[str]
    missing_edges: list[Edge]
    extra_edges: list[Edge]

    def __bool__(self) -> bool:
        return any((self.missing_tasks, self.extra_tasks, self.missing_edges, self.extra_edges))


def compare(mine: Graph, expected: Graph) -> Difference:
    """What `mine` lacks and has too much. Arrows of tasks that only one has are not counted."""
    shared = set(mine.tasks) & set(expected.tasks)
    return Difference(
        missing_tasks=[t for t in expected.tasks if t not in shared],
        extra_tasks=[t for t in mine.tasks if t not in shared],
        missing_edges=_beyond(expected, mine, shared),
        extra_edges=_beyond(mine, expected, shared),
    )


def _beyond(graph: Graph, other: Graph, shared: set[str]) -> list[Edge]:
    """The needed edges of a graph that say something that the other does not say."""
    found = [e for e in graph.needed if shared.issuperset(e) and e not in other.paths]
    place = {task: number for number, task in enumerate(graph.tasks)}
    return sorted(found, key=lambda edge: (place[edge[0]], place[edge[1]]))
