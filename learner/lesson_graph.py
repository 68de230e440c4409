"""The graph that a lesson draws: the mermaid picture in its `README.md`, as a graph of tasks.

A node that is drawn with a shape, such as `stop((run fails))`, is no task but the world around the
DAG, and so no arrow to it is one of the DAG's. It must not know a solution.
"""

from __future__ import annotations

import re
from pathlib import Path

from learner.graph import Edge, Graph

PICTURE = re.compile(r"^```mermaid\n\s*flowchart \w+\n(.*?)^```$", re.S | re.M)
SHAPE = r"\(\(.*?\)\)|\(\[.*?\]\)|\[/.*?/\]|\[.*?\]|\(.*?\)|\{.*?\}"
NODE = re.compile(rf"\s*(?P<id>\w+)(?P<shape>{SHAPE})?\s*")
# a --> b, a -- text --> b, a -->|text| b, a -.-> b, a -. text .-> b
ARROW = re.compile(r"--\s.*?\s-->|-\.\s.*?\s\.->|(?:-->|-\.->)(?:\|.*?\|)?")
SUBGRAPH = re.compile(r"subgraph (?P<id>\w+)")


class NoPicture(ValueError):
    """A lesson without a picture, or with one that cannot be read."""


def lesson_graph(lesson: Path) -> Graph:
    """The graph of a lesson. Raises `NoPicture`, `OSError`."""
    found = PICTURE.search(lesson.read_text("utf-8"))
    if found is None:
        raise NoPicture(f"{lesson} has no picture of a flowchart")
    return read_picture(found[1])


def read_picture(text: str) -> Graph:
    """The lines of a flowchart as a graph. A subgraph is a task group or, where a file has several
    DAGs, one of them. Raises `NoPicture`.
    """
    groups: list[str] = []
    task_ids: dict[str, str] = {}
    outside: set[str] = set()
    edges: list[Edge] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if opened := SUBGRAPH.match(line):
            groups.append(opened["id"])
        elif line == "end" and groups:
            groups.pop()
        else:
            nodes, joined = _statement(line)
            edges += joined
            for node, shape in nodes:
                if task_ids.get(node, node) == node:  # a mention outside puts it in no group
                    task_ids[node] = ".".join([*groups, node])
                if shape:
                    outside.add(node)
    kept = [e for e in edges if outside.isdisjoint(e)]
    return Graph(
        tasks=tuple(task_id for node, task_id in task_ids.items() if node not in outside),
        edges=frozenset((task_ids[a], task_ids[b]) for a, b in kept),
    )


def _statement(line: str) -> tuple[list[tuple[str, str]], list[Edge]]:
    """The nodes of a line such as `a & b --> c --> d`, each with its shape, and its edges."""
    nodes: list[tuple[str, str]] = []
    edges: list[Edge] = []
    before: list[str] = []
    here: list[str] = []
    place = 0
    while place < len(line):
        node = NODE.match(line, place)
        if node is None:
            raise NoPicture(f"a line of the picture cannot be read: {line}")
        nodes.append((node["id"], node["shape"] or ""))
        here.append(node["id"])
        place = node.end()
        if line[place : place + 1] == "&":
            place += 1
            continue
        edges += [(a, b) for a in before for b in here]
        before, here = here, []
        arrow = ARROW.match(line, place)
        if arrow is None and place < len(line):
            raise NoPicture(f"a line of the picture cannot be read: {line}")
        place = arrow.end() if arrow else place
    return nodes, edges
