"""Reading a lesson's picture, holding two graphs against each other, drawing them."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from grader.course import ROOT, load_course
from learner.graph import Graph, compare
from learner.lesson_graph import NoPicture, lesson_graph, read_picture
from learner.picture import in_words, print_both


def graph(text: str) -> Graph:
    return read_picture(text)


@pytest.mark.parametrize(
    ("text", "tasks", "edges"),
    [
        ("a --> b --> c", "a b c", {"ab", "bc"}),
        ("a & b --> c & d", "a b c d", {"ac", "ad", "bc", "bd"}),
        ("a -- the name --> b", "a b", {"ab"}),
        ('a -- "more than 10 %" --> b', "a b", {"ab"}),
        ("a -->|no| b", "a b", {"ab"}),
        ("a", "a", set()),
        ("a --> b\n    b --> c\n\n a --> c", "a b c", {"ab", "bc", "ac"}),
        ("a -.-> b -. late .-> c", "a b c", {"ab", "bc"}),
        ("p([you, there]) -.-> a --> b", "a b", {"ab"}),
        ("a --> b\na -. low .-> stop((run fails))", "a b", {"ab"}),
        ('a --> b --> shops[/"x@example.com"/]\na & b -. "no try left" .-> shops', "a b", {"ab"}),
        ("a[A] --> b{B} --> c(C) --> d", "d", set()),
    ],
)
def test_what_a_picture_says(text, tasks, edges):
    found = graph(text)
    assert found.tasks == tuple(tasks.split())
    assert {a + b for a, b in found.edges} == edges


def test_a_subgraph_is_a_group():
    found = graph("a\nsubgraph g\n  b --> c\nend\na --> c")
    assert found.tasks == ("a", "g.b", "g.c")
    assert found.edges == {("g.b", "g.c"), ("a", "g.c")}


@pytest.mark.parametrize("text", ["a ~~~ b", "a --> (b)", "a -> b", "--> b", "%% remark"])
def test_what_cannot_be_read_is_no_picture(text):
    with pytest.raises(NoPicture):
        graph(text)


def test_a_lesson_without_a_picture(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Part\n```mermaid\nsequenceDiagram\n a->>b: hello\n```\n")
    with pytest.raises(NoPicture, match="has no picture"):
        lesson_graph(page)


def test_every_lesson_has_a_picture_that_can_be_read():
    for part in load_course().part:
        assert lesson_graph(ROOT / "exercises" / part.slug / "README.md").tasks


@pytest.mark.parametrize(
    ("mine", "lesson", "words"),
    [
        ("a --> b --> c", "a --> b --> c", []),
        ("a --> b --> c\na --> c", "a --> b --> c", []),
        ("a --> b --> c", "a --> b --> c\na --> c", []),
        ("a --> b\nc", "a --> b --> c", ["`c` does not wait for `b` yet."]),
        ("a", "a --> b", ["Task `b` is missing."]),
        ("a --> b --> x", "a --> b", ["Task `x` is not in the lesson."]),
        (
            "b --> a",
            "a --> b",
            ["`b` does not wait for `a` yet.", "`a` waits for `b`; in the lesson it does not."],
        ),
        ("a --> b --> c", "a --> b\na --> c", ["`c` waits for `b`; in the lesson it does not."]),
        # Through a task that is too much, the order is right all the same.
        ("a --> x --> b", "a --> b", ["Task `x` is not in the lesson."]),
    ],
)
def test_in_what_two_graphs_differ(mine, lesson, words):
    difference = compare(graph(mine), graph(lesson))
    assert in_words(difference) == words
    assert bool(difference) == bool(words)


def drawn(mine: Graph, lesson: Graph, width: int) -> str:
    file = StringIO()
    console = Console(file=file, width=width)
    print_both(mine, lesson, compare(mine, lesson), console)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_two_pictures_stand_beside_each_other_where_there_is_room():
    mine = Graph(("a", "b", "x"), frozenset({("a", "x")}), {"b": "trigger rule all_done"})
    text = drawn(mine, graph("a --> b --> c"), 100)
    assert text == (
        "Your DAG                      The lesson\n"
        "a                             a\n"
        "└── x  not in the lesson      └── b  this arrow is missing in yours\n"
        "b  (trigger rule all_done)        └── c  missing in yours"
    )
    assert drawn(mine, graph("a --> b --> c"), 60).splitlines()[5] == "The lesson"


def test_a_task_that_waits_for_several_is_drawn_once_and_named_at_the_others():
    join = graph("a --> b & c\nb & c --> d --> e\na --> e")
    assert drawn(join, graph("z"), 50).startswith(
        "Your DAG\n"
        "a  not in the lesson\n"
        "├── b  not in the lesson\n"
        "│   └── d  not in the lesson\n"
        "│       └── e  (also after a)  not in the lesson\n"
        "└── c  not in the lesson\n"
        "    └── d  (drawn above)\n"
    )


def test_a_dag_without_tasks_can_be_drawn():
    assert drawn(Graph((), frozenset()), graph("a"), 80).splitlines()[1].split() == [
        "no", "task", "a", "missing", "in", "yours",
    ]  # fmt: skip
