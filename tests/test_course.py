"""The course holds together: one number joins lesson, hints, stub, solution and checks.

Reads files only. It must not import Airflow or run a part.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grader import collect
from grader.course import ROOT, Part, load_course

COURSE = load_course()
OPENS = re.compile(r"^\s*# --- TODO (\d+): (.+) ---$")
CLOSES = re.compile(r"^\s*# --- end of TODO (\d+) ---$")
HEADING = re.compile(r"^## (\d+)\. (.+)$", re.MULTILINE)
PATCH = re.compile(r"fails_([a-z0-9_]+?)__([a-z0-9_]+)\.patch")
OLD_STYLE = re.compile(
    r"schedule_interval|airflow\.(operators|sensors|hooks|decorators|models)\b|from airflow import"
    r"|\bsla\s*=|execution_date|days_ago|provide_context|\bDataset\b|DummyOperator"
)

each_part = pytest.mark.parametrize("part", COURSE.part, ids=[p.slug for p in COURSE.part])


def lesson(part: Part) -> Path:
    """The page the learner reads."""
    return ROOT / "exercises" / part.slug / "README.md"


def hints(part: Part) -> Path:
    """The ladder of hints."""
    return ROOT / "exercises" / part.slug / "hints.md"


def stub(part: Part) -> Path:
    """The DAG file the learner completes."""
    return ROOT / "exercises" / part.slug / part.dag_file


def solution(part: Part) -> Path:
    """The same file, completed."""
    return ROOT / "solutions" / part.slug / part.dag_file


def submissions(part: Part) -> Path:
    """The folder of submissions with a known verdict."""
    return ROOT / "tests" / "submissions" / part.slug


def headings(page: Path) -> list[tuple[int, str]]:
    """Number and title of every numbered section."""
    return [(int(number), title) for number, title in HEADING.findall(page.read_text("utf-8"))]


def numbered(part: Part) -> list[tuple[int, str]]:
    """Number and title of every task as `course.toml` has them."""
    return [(number, task.title) for number, task in enumerate(part.task, start=1)]


def split_regions(text: str) -> tuple[list[str], list[tuple[int, str]]]:
    """The lines outside the TODO regions (markers included), and (number, text) of each region."""
    outside: list[str] = []
    regions: list[tuple[int, str]] = []
    number: int | None = None
    inside: list[str] = []
    for line in text.splitlines():
        opens, closes = OPENS.match(line), CLOSES.match(line)
        if opens:
            assert number is None, f"TODO {opens[1]} opens inside TODO {number}"
            number, inside = int(opens[1]), []
            outside.append(line)
        elif closes:
            assert number == int(closes[1]), f"{line.strip()!r} closes TODO {number}"
            regions.append((number, "\n".join(inside)))
            number = None
            outside.append(line)
        elif number is None:
            outside.append(line)
        else:
            inside.append(line)
    assert number is None, f"TODO {number} is never closed"
    return outside, regions


def code_of(region: str) -> str:
    """A region without comments and blank lines."""
    lines = (line.split("  #")[0].rstrip() for line in region.splitlines())
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def test_the_list_of_parts_is_well_formed_and_in_order() -> None:
    slugs = [part.slug for part in COURSE.part]
    assert slugs, "course.toml lists no part"
    assert slugs == sorted(set(slugs))
    assert [part.number for part in COURSE.part] == [f"{n:02}" for n in range(len(slugs))]


def test_no_part_is_left_out_of_the_list() -> None:
    listed = {part.slug for part in COURSE.part}
    for tree in ("exercises", "solutions"):
        found = {p.name for p in (ROOT / tree).iterdir() if re.match(r"\d\d_", p.name)}
        assert found == listed, tree
    found = {p.stem.removeprefix("test_") for p in (ROOT / "grader/checks").glob("test_*.py")}
    assert found == listed, "grader/checks"


@each_part
def test_a_part_is_complete(part: Part) -> None:
    for path in (lesson(part), hints(part), stub(part), solution(part), collect.check_file(part)):
        assert path.is_file(), f"{path.relative_to(ROOT)} is missing"


@each_part
def test_lesson_hints_and_course_have_the_same_headings(part: Part) -> None:
    assert headings(lesson(part)) == numbered(part)
    assert headings(hints(part)) == numbered(part)


@each_part
def test_every_heading_of_the_hints_has_a_ladder(part: Part) -> None:
    sections = re.split(r"^## .*$", hints(part).read_text("utf-8"), flags=re.MULTILINE)[1:]
    for number, section in enumerate(sections, start=1):
        rungs = re.findall(r"^(?:\d+\.|-) ", section, flags=re.MULTILINE)
        assert 2 <= len(rungs) <= 4, f"section {number} has {len(rungs)} hints"


@each_part
def test_a_lesson_has_a_picture_a_way_to_verify_and_a_discussion(part: Part) -> None:
    text = lesson(part).read_text("utf-8")
    assert "```mermaid\n" in text
    assert re.search(r"^## Verify$", text, re.MULTILINE)
    assert re.search(r"^## Discussion$", text, re.MULTILINE)
    assert f"make grade PART={part.number}" in text


@each_part
def test_every_task_has_its_todo_in_the_stub(part: Part) -> None:
    _, regions = split_regions(stub(part).read_text("utf-8"))
    assert sorted({number for number, _ in regions}) == [number for number, _ in numbered(part)]


@each_part
def test_stub_and_solution_are_the_same_outside_the_todos(part: Part) -> None:
    ours, theirs = (split_regions(f(part).read_text("utf-8")) for f in (stub, solution))
    assert ours[0] == theirs[0]
    assert [number for number, _ in ours[1]] == [number for number, _ in theirs[1]]


@each_part
def test_every_todo_is_open_in_the_stub_and_done_in_the_solution(part: Part) -> None:
    _, open_regions = split_regions(stub(part).read_text("utf-8"))
    _, done_regions = split_regions(solution(part).read_text("utf-8"))
    raising = 0
    for (number, todo), (_, done) in zip(open_regions, done_regions, strict=True):
        assert code_of(todo) != code_of(done), f"TODO {number} is already solved"
        assert "NotImplementedError" not in done, f"the solution leaves TODO {number} open"
        assert code_of(done), f"the solution of TODO {number} is empty"
        if "NotImplementedError" in todo:
            wanted = rf'raise NotImplementedError\(\s*f?"TODO {number}: '
            assert re.search(wanted, todo), f"TODO {number} raises under another number"
            raising += 1
        else:  # arguments of `@dag` or the wiring: what is to be done stands there as a comment
            assert re.search(r"#\s*\S", todo), f"TODO {number} neither raises nor explains"
        assert not re.search(r"^\s*(pass|\.\.\.)$", todo, re.MULTILINE), f"TODO {number}: silent"
    assert raising, "nothing in the stub raises, so an untouched stub could end well"


@each_part
def test_stub_and_solution_say_which_dag_they_are(part: Part) -> None:
    for path in (stub(part), solution(part)):
        text = path.read_text("utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} has no contract"
        assert f'dag_id="{part.dag_id}"' in text or f"def {part.dag_id}(" in text


@each_part
def test_the_data_that_a_stub_reads_is_there(part: Part) -> None:
    folder = stub(part).parent
    for name in re.findall(r'"data"\s*/\s*"([^"]+)"', stub(part).read_text("utf-8")):
        assert (folder / "data" / name).is_file(), f"data/{name}"


@each_part
def test_a_solution_finds_the_data_of_its_exercise(part: Part) -> None:
    """The stack can show the solutions, which have no data of their own."""
    data, linked = (ROOT / tree / part.slug / "data" for tree in ("exercises", "solutions"))
    assert linked.is_symlink() == data.is_dir()
    assert linked.resolve() == data.resolve() or not data.is_dir()


@each_part
def test_nothing_is_written_in_the_style_of_airflow_2(part: Part) -> None:
    for path in (stub(part), solution(part), *submissions(part).glob("correct_*.py")):
        old = OLD_STYLE.search(path.read_text("utf-8"))
        assert old is None, f"{path.relative_to(ROOT)}: {old and old[0]}"


@each_part
def test_every_task_has_checks_that_share_its_points(part: Part) -> None:
    tasks = [check.task for check in collect.checks(part)]
    for number, task in enumerate(part.task, start=1):
        count = tasks.count(number)
        assert count > 0, f"task {number} has no check"
        assert task.points % count == 0, f"task {number}: {task.points} points, {count} checks"
    assert set(tasks) <= {number for number, _ in numbered(part)}


@each_part
def test_checks_have_titles_and_build_only_on_each_other(part: Part) -> None:
    checks = collect.checks(part)
    ids = {check.id for check in checks}
    for check in checks:
        assert check.title.endswith("."), f"{check.id} has no sentence for the learner"
        assert set(check.requires) <= ids, f"{check.id} requires what is no check"
    tests = {name for name in vars(collect.check_module(part)) if name.startswith("test_")}
    assert tests == {f"test_{name}" for name in ids}, "a test without @check earns nothing"


@each_part
def test_scenarios_are_drawn_from_the_seed_and_observed(part: Part) -> None:
    drawn = collect.scenarios(part, seed=0)
    assert drawn == collect.scenarios(part, seed=0), "something else than the seed decides"
    assert any(collect.scenarios(part, seed) != drawn for seed in range(1, 9)), "nothing is drawn"
    names = [scenario.name for scenario in drawn]
    assert len(names) == len(set(names))
    text = "".join(path.read_text("utf-8") for path in collect.check_files(part))
    unknown = set(re.findall(r'observe\("([^"]+)"\)', text)) - set(names)
    assert not unknown, "no such scenario"
    assert all(text.count(f'"{name}"') > 1 for name in names), "a scenario is never looked at"


@each_part
def test_the_checks_are_proved(part: Part) -> None:
    folder = submissions(part)
    assert len(list(folder.glob("correct_*.py"))) >= 2
    patches = list(folder.glob("*.patch"))
    assert len(patches) >= 10
    ids = {check.id for check in collect.checks(part)}
    for path in patches:
        named = PATCH.fullmatch(path.name)
        assert named, f"{path.name}: fails_<check>__<misconception>.patch"
        assert named[1] in ids, f"{path.name} names no check"
    names = {p.name for p in folder.iterdir() if p.is_file()}
    stray = {n for n in names if not re.fullmatch(r"correct_\w+\.py|fails_\w+\.patch", n)}
    assert not stray


@each_part
def test_every_patch_still_fits_its_solution(part: Part, tmp_path: Path) -> None:
    shutil.copy(solution(part), tmp_path)
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.resolve().parent)
    stale = [
        patch.name
        for patch in sorted(submissions(part).glob("*.patch"))
        if subprocess.run(
            ["git", "apply", "--check", str(patch)], cwd=tmp_path, env=env, capture_output=True
        ).returncode
    ]
    assert not stale


@each_part
def test_the_front_page_lists_the_part(part: Part) -> None:
    row = f"| [{part.number} {part.title}](exercises/{part.slug}/README.md) | {part.minutes} |"
    assert row in (ROOT / "README.md").read_text("utf-8")


NEEDS = re.compile(r"You need parts? (\d\d(?:(?:, | and )\d\d)*)")


@each_part
def test_the_path_says_how_long_the_part_takes_and_what_it_stands_on(part: Part) -> None:
    stated = NEEDS.search(lesson(part).read_text("utf-8"))
    needed = re.findall(r"\d\d", stated[1]) if stated else []
    path = (ROOT / "exercises" / "README.md").read_text("utf-8")
    row = f"| [{part.number} {part.title}]({part.slug}/README.md) | {part.minutes} |"
    assert any(
        line.startswith(row) and line.endswith(f"| {', '.join(needed) or 'nothing'} |")
        for line in path.splitlines()
    )
    assert re.findall(rf"^    (\d\d) --> {part.number}$", path, re.MULTILINE) == needed
