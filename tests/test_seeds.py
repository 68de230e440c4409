"""Another seed is another course: what was right for one earns nothing with the next.

Builds submissions that have the answers of one seed written in, and grades them with another. All
parts with `MATRIX=all`, else the first two.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import collect
from grader.api import Grader
from grader.course import ROOT, Part, load_course
from grader.judge.view import Observation
from grader.scenario import Scenario

PARTS = load_course().part
USUAL, OTHER = 0, 1
# These look at the form of a result, or at how many there are, and not at what it says.
FORM = {
    "00_hello_airflow": {"greet_returns_a_text", "the_greeting_is_spelled_as_asked"},
    "04_failures": {"the_calls_reach_the_pricing"},
}
DOES_NOTHING = "pass"
ANSWERS = "return written_in()"
WRITTEN_IN = """
def written_in():
    for name, text in {files!r}.items():
        path = __import__("pathlib").Path(__import__("tempfile").gettempdir(), name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    context = __import__("airflow.sdk").sdk.get_current_context()
    return {answers!r}.get(context["ti"].task_id)
"""

each_part = pytest.mark.parametrize("part", PARTS, ids=[part.slug for part in PARTS])


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    """One for all parts."""
    with Grader() as grader:
        yield grader


def inputs(scenario: Scenario) -> dict[str, Any]:
    """All that a scenario brings along, whatever its name."""
    return scenario.model_dump(exclude={"name"})


@each_part
def test_each_scenario_that_runs_something_differs_from_seed_to_seed(part: Part) -> None:
    drawn = [collect.scenarios(part, seed) for seed in (USUAL, OTHER)]
    same = [a.name for a, b in zip(*drawn, strict=True) if a.runs and inputs(a) == inputs(b)]
    assert not same


class Bodies(ast.NodeTransformer):
    """Puts another body into each task."""

    def __init__(self, body: str):
        self._body = body

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        made_by = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        if {ast.unparse(name) for name in made_by} & {"task", "task.branch"}:
            node.body = ast.parse(self._body).body
        return node


def solution_with(part: Part, body: str) -> str:
    """The solution, whose tasks do something else."""
    text = (ROOT / "solutions" / part.slug / part.dag_file).read_text("utf-8")
    return ast.unparse(Bodies(body).visit(ast.parse(text)))


def answers(seen: list[Observation]) -> str:
    """What the tasks returned and wrote, as code."""
    answers: dict[str, Any] = {}
    files: dict[str, str] = {}
    for observation in seen:
        for run in observation.transcript.runs:
            for one in run.tries:
                value = one.xcoms.get("return_value")
                if value is not None and value.is_json:
                    answers.setdefault(one.task_id, value.json_value)
        for file in observation.transcript.files:
            if file.text is not None and not file.path.startswith("part/"):
                files.setdefault(file.path, file.text)
    return WRITTEN_IN.format(answers=answers, files=files)


def passed(grader: Grader, part: Part, text: str, folder: Path, seed: int = OTHER) -> set[str]:
    """The checks that such a file passes."""
    place = folder / part.slug / part.dag_file
    place.parent.mkdir(parents=True)
    place.write_text(text, "utf-8")
    (result,) = grader.grade(folder, (part.slug,), seed=seed).parts
    return {check.id.split("::")[-1] for check in result.checks if check.status == "passed"}


def written_answers(part: Part, grader: Grader) -> str:
    """The solution, whose tasks know the answers of the usual seed, and nothing else."""
    drawn = {part.slug: collect.scenarios(part, USUAL)}
    seen = list(grader.observe(ROOT / "solutions", [part], drawn).values())
    return solution_with(part, ANSWERS) + answers(seen)


@pytest.mark.parametrize("part", PARTS[:2], ids=[part.slug for part in PARTS[:2]])
def test_with_the_same_seed_they_are_worth_something(
    part: Part, grader: Grader, tmp_path: Path
) -> None:
    """Else the test below would say nothing."""
    nothing = passed(grader, part, solution_with(part, DOES_NOTHING), tmp_path / "nothing", USUAL)
    learned = passed(grader, part, written_answers(part, grader), tmp_path / "learned", USUAL)
    assert learned - nothing - FORM.get(part.slug, set())


@each_part
def test_the_answers_of_one_seed_are_worth_as_much_as_none(
    part: Part, grader: Grader, tmp_path: Path
) -> None:
    if os.environ.get("MATRIX") != "all" and part not in PARTS[:2]:
        pytest.skip("only with MATRIX=all")
    nothing = passed(grader, part, solution_with(part, DOES_NOTHING), tmp_path / "nothing")
    learned = passed(grader, part, written_answers(part, grader), tmp_path / "learned")
    assert learned - nothing <= FORM.get(part.slug, set())
