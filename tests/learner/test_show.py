"""The DAG as Airflow sees it beside the lesson's picture; and that each picture tells the truth."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from course_copy import PART, Copy
from rich.console import Console

from grader.api import Grader
from grader.course import ROOT, load_course
from grader.judge.view import Observation
from grader.transcript import DagFacts, TaskFacts
from learner.graph import Edge
from learner.lesson_graph import lesson_graph, read_picture
from learner.parts import Problem
from learner.show import LOAD, as_drawn, graph_of, notes_on, print_show

COURSE = load_course()
# Arrows of the solutions that a picture leaves out, because longer ways say the same.
IMPLIED: dict[str, set[Edge]] = {
    "01_ml_training": {("train_model", "deploy_model")},
    "03_custom_metrics": {("failure_ratio", "page_on_call")},
    "04_failures": {("open_session", "close_session")},
    "11_error_handling": {("make_staging", "remove_staging")},
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Observation]:
    """What Airflow sees in each solution."""
    with Grader(cache=False, home=tmp_path_factory.mktemp("home")) as grader:
        wanted = {part.slug: [LOAD] for part in COURSE.part}
        return dict(grader.observe(ROOT / "solutions", list(COURSE.part), wanted))


@pytest.mark.parametrize("slug", [part.slug for part in COURSE.part])
def test_the_picture_of_each_lesson_is_the_graph_of_its_solution(slug, seen):
    """If an arrow is missing in a picture, draw it; if another way implies it, list it above."""
    picture = lesson_graph(ROOT / "exercises" / slug / "README.md")
    real = as_drawn(seen[slug, LOAD.name], picture)
    assert set(picture.tasks) == set(real.tasks)
    assert picture.edges | IMPLIED.get(slug, set()) == real.edges
    assert picture.edges == real.needed


def facts(**more: object) -> TaskFacts:
    given = {
        "task_id": "a", "operator": "@task", "upstream": [], "trigger_rule": "all_success",
        "retries": 0, "retry_delay": 0.0, "retry_exponential_backoff": False,
        "pool": "default_pool",
    }  # fmt: skip
    return TaskFacts.model_validate(given | more)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, ""),
        ({"trigger_rule": "all_done"}, "trigger rule all_done"),
        ({"trigger_rule": "all_done_setup_success", "teardown": True}, "teardown"),
        ({"trigger_rule": "all_done", "teardown": True}, "teardown; trigger rule all_done"),
        ({"setup": True}, "setup"),
        ({"group": "refunds"}, "in group refunds"),
        ({"mapped": True}, "mapped: once per item"),
        ({"trigger_rule": "one_failed", "group": "g"}, "trigger rule one_failed; in group g"),
    ],
)
def test_what_is_not_the_default_is_noted(more, told):
    assert notes_on(facts(**more)) == told


def dag_facts(dag_id: str, *tasks: TaskFacts) -> DagFacts:
    return DagFacts(
        dag_id=dag_id, next_runs=[], catchup=False, tags=[], params={}, tasks=list(tasks)
    )


def test_each_of_several_dags_is_what_a_lesson_draws_as_a_subgraph():
    first = dag_facts("one", facts(), facts(task_id="b", upstream=["a"], setup=True))
    second = dag_facts("two", facts(task_id="c"))
    assert graph_of([first]).tasks == ("a", "b")
    both = graph_of([first, second], prefixed=True)
    assert both.notes == {"one.b": "setup"}
    text = "subgraph one [The first]\na --> b\nend\nb --> x[(store)] --> c\nsubgraph two\nc\nend"
    drawn = read_picture(text)
    assert drawn.edges == both.edges == {("one.a", "one.b")}


def shown(observation: Observation, slug: str, width: int = 100) -> str:
    file = StringIO()
    part = next(part for part in COURSE.part if part.slug == slug)
    print_show(observation, part, Console(file=file, width=width))
    return file.getvalue()


def test_a_dag_that_agrees_with_the_lesson_is_drawn_once(seen):
    text = shown(seen["04_failures", LOAD.name], "04_failures")
    assert "The same tasks in the same order as in the lesson's picture." in text
    assert "close_session  (also after open_session; teardown)" in text
    assert "refunds.report  (in group refunds)" in text
    assert "The lesson\n" not in text


def without(observation: Observation, task: str, upstream: str) -> Observation:
    """The same, but one task does not wait for another."""
    dag = observation.dag.data
    tasks = [
        t.model_copy(update={"upstream": [u for u in t.upstream if u != upstream]})
        if t.task_id == task
        else t
        for t in dag.tasks
    ]
    changed: DagFacts = dag.model_copy(update={"tasks": tasks})
    transcript = observation.transcript.model_copy(update={"dag": changed})
    return Observation(observation.scenario, transcript, observation.dag_id)


def test_a_missing_arrow_is_marked_and_said(seen):
    slug = "01_ml_training"
    text = shown(without(seen[slug, LOAD.name], "deploy_model", "evaluate_model"), slug, 120)
    assert "`deploy_model` does not wait for `evaluate_model` yet." in text
    beside = [line for line in text.splitlines() if "missing in yours" in line]
    assert len(beside) == 1 and beside[0].strip().endswith(
        "deploy_model  this arrow is missing in yours"
    )
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("slug", [part.slug for part in COURSE.part])
@pytest.mark.parametrize("width", [60, 80])
def test_nothing_is_cut_off_where_it_is_narrow(slug, width, seen):
    whole = seen[slug, LOAD.name]
    empty = whole.dag.data.model_copy(update={"tasks": []})
    transcript = whole.transcript.model_copy(update={"dag": empty, "others": []})
    text = shown(replace(whole, transcript=transcript), slug, width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    for task in lesson_graph(ROOT / "exercises" / slug / "README.md").tasks:
        assert f"Task `{task}` is missing." in text


def test_a_file_that_does_not_load_is_a_problem_with_its_line(seen):
    error = {"type": "SyntaxError", "message": "invalid syntax", "line": 7, "text": "x ="}
    base = seen[PART.slug, LOAD.name].transcript
    broken = base.model_validate({"scenario": "x", "import_error": error})
    with pytest.raises(Problem, match=r"hello_airflow\.py:7: .*Python cannot read it"):
        shown(Observation(LOAD, broken, ""), PART.slug)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_draws_the_learners_file_and_the_lesson(copy: Copy) -> None:
    told = copy.learner("show")
    assert told.returncode == 0, told.stderr
    assert "Your DAG" in told.stdout and "The lesson" in told.stdout
    assert "`greet` does not wait for `choose_name` yet." in told.stdout
    copy.file().write_text("def f(:\n", "utf-8")
    told = copy.learner("show", "00")
    assert (told.returncode, told.stdout) == (1, "")
    (line,) = [one for one in told.stderr.splitlines() if one.startswith("show: ")]
    assert line.startswith("show: exercises/00_hello_airflow/hello_airflow.py:1: ")
