"""`make show`: the learner's DAG as Airflow sees it, beside the one that the lesson draws.

It must not mark anything: a picture that agrees is not yet a DAG that works.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from grader.api import Grader, shown_path
from grader.cli import EXERCISES
from grader.course import Part
from grader.judge.problems import load_problem
from grader.judge.view import Observation
from grader.report.page import Page
from grader.scenario import Scenario
from grader.transcript import DagFacts, TaskFacts
from learner.graph import Edge, Graph, compare
from learner.lesson_graph import NoPicture, lesson_graph
from learner.parts import SUBMISSION, Problem
from learner.picture import draw, in_words, print_both

# Loads the file and runs nothing. The day is as good as any; with the same one it is kept.
LOAD = Scenario(name="load the file", now=datetime(2024, 3, 5, 12, tzinfo=UTC))
TEARDOWN = "all_done_setup_success"


def observe(grader: Grader, part: Part) -> Observation:
    """Load the part's file in the worker. Raises `EnvironmentProblem`."""
    seen = grader.observe(EXERCISES, [part], {part.slug: [LOAD]})
    return seen[part.slug, LOAD.name]


def graph_of(dags: Sequence[DagFacts], *, prefixed: bool = False) -> Graph:
    """Some DAGs of a file as one graph; a task's notes are what is not the default.

    A task bears the name of its DAG if `prefixed`, as where a lesson draws DAGs as subgraphs.
    """
    tasks: list[str] = []
    edges: set[Edge] = set()
    notes: dict[str, str] = {}
    for dag in dags:
        prefix = f"{dag.dag_id}." if prefixed else ""
        tasks += (prefix + task.task_id for task in dag.tasks)
        edges |= {
            (prefix + up, prefix + task.task_id) for task in dag.tasks for up in task.upstream
        }
        notes |= {prefix + task.task_id: told for task in dag.tasks if (told := notes_on(task))}
    return Graph(tuple(tasks), frozenset(edges), notes)


def as_drawn(observation: Observation, picture: Graph) -> Graph:
    """The DAGs of a file that a lesson's picture is about: those that it draws as subgraphs, else
    the part's own.
    """
    dags = [dag.data for dag in observation.dags.values()]
    drawn = {task.partition(".")[0] for task in picture.tasks}
    named = [dag for dag in dags if dag.dag_id in drawn]
    return graph_of(named or [observation.dag.data], prefixed=bool(named))


def notes_on(task: TaskFacts) -> str:
    """What Airflow knows about a task beyond its name and place."""
    notes = ["setup"] * task.setup + ["teardown"] * task.teardown
    if task.trigger_rule not in ("all_success", *(TEARDOWN,) * task.teardown):
        notes.append(f"trigger rule {task.trigger_rule}")
    if task.group:
        notes.append(f"in group {task.group}")
    if task.mapped:
        notes.append("mapped: once per item")
    return "; ".join(notes)


def print_show(observation: Observation, part: Part, console: Console) -> None:
    """Draw the DAG. Raises `Problem` where the file does not load."""
    problem, file = load_problem(observation), EXERCISES / part.slug / part.dag_file
    if problem is not None:
        place = f"{shown_path(file)}:{problem.line}" if problem.line else shown_path(file)
        raise Problem(f"{place}: {problem.happened}", SUBMISSION)
    page = Page(console)
    page.blank()
    try:
        expected = lesson_graph(EXERCISES / part.slug / "README.md")
    except (NoPicture, OSError):
        console.print(draw(graph_of([observation.dag.data]), "Your DAG", {}))
        return
    mine = as_drawn(observation, expected)
    difference = compare(mine, expected)
    if not difference:
        console.print(draw(mine, "Your DAG", {}))
        page.blank()
        page.line(Text("The same tasks in the same order as in the lesson's picture.", "green"))
        return
    print_both(mine, expected, difference, console)
    page.blank()
    for sentence in in_words(difference):
        page.line(page.safe(sentence, code=True), "  ")
    page.line(Text("A task stands below the one that it waits for.", "dim"))
