"""The one-way doors between the packages, read from their imports. Without Airflow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GRADER = ROOT / "grader"

# A module of ours may import itself and what is listed here, nothing else of ours.
MAY_IMPORT = {
    "transcript": set(),
    "scenario": set(),
    "course": {"scenario"},
    "worker": {"transcript", "scenario"},
    "judge": {"transcript", "scenario", "course"},
    "report": {"judge", "transcript", "scenario", "course"},
}
MUST_NOT_IMPORT = {"observe": {"judge", "checks", "report", "sealed", "apart"}}
# What a learner's tools build on. What checks expect is none of their business.
LEARNER_MAY_IMPORT = {
    "api", "cli", "course", "judge", "observe", "report", "scenario", "transcript", "worker",
}  # fmt: skip


def imports(source: str, package: str) -> Iterator[str]:
    """Every module that a source text imports, with absolute names, wherever it does so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            name = ".".join([*base, node.module or ""]).strip(".") if node.level else node.module
            yield from (f"{name}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def ours(names: Iterator[str]) -> set[str]:
    """The rooms of the house that these names lead into."""
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "grader" and len(p) > 1} | (
        {p[0] for p in parts if p[0] in ("solutions", "exercises", "tests")}
    )


def modules(room: str) -> list[Path]:
    folder, file = GRADER / room, GRADER / f"{room}.py"
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [file]


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("import grader.observe.run", {"observe"}),
        ("from grader import worker", {"worker"}),
        ("from grader.checks.x import y", {"checks"}),
        ("def f():\n    from ..observe import z", {"observe"}),
        ("from . import terminal", {"report"}),
        ("importlib.import_module('grader.worker')", {"worker"}),
        ("import json, solutions", {"solutions"}),
        ("'import grader.worker'", set()),
    ],
)
def test_the_reader_of_imports_sees_them_all(source, rooms):
    assert ours(imports(source, "grader.report")) == rooms


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_opens_only_its_own_doors(room):
    assert modules(room)
    for path in modules(room):
        found = ours(imports(path.read_text("utf-8"), package_of(path)))
        wrong = found - MAY_IMPORT[room] - {room}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_a_check_needs_no_more_than_the_words_of_the_judge_and_what_a_transcript_holds():
    files = sorted((GRADER / "checks").glob("*_[0-9][0-9]_*.py"))
    assert files
    for path in files:
        found = set(imports(path.read_text("utf-8"), package_of(path)))
        slug = path.stem.partition("_")[2]
        same_part = tuple(f"grader.checks.{kind}_{slug}." for kind in ("inputs", "words"))
        others = iter(name for name in found if not name.startswith(same_part))
        wrong = ours(others) - {"judge", "scenario", "transcript"}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


@pytest.mark.parametrize("room", MUST_NOT_IMPORT)
def test_a_room_keeps_its_closed_doors_closed(room):
    assert modules(room)
    for path in modules(room):
        found = ours(imports(path.read_text("utf-8"), package_of(path)))
        wrong = found & (MUST_NOT_IMPORT[room] | {"solutions"})
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def packages(names: set[str]) -> set[str]:
    """The packages of this repository among what is imported."""
    here = {path.name for path in ROOT.iterdir() if path.is_dir()}
    return {name.split(".")[0] for name in names} & here


def test_the_learners_tools_open_no_door_but_the_graders():
    files = sorted((ROOT / "learner").rglob("*.py"))
    assert len(files) > 10
    for path in files:
        found = set(imports(path.read_text("utf-8"), package_of(path)))
        wrong = ours(iter(found)) - LEARNER_MAY_IMPORT
        wrong |= packages(found) - {"grader", "learner"}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"
        loads_airflow = any(name.split(".")[0] == "airflow" for name in found)
        assert loads_airflow == (path.name == "canary.py"), path.name


@pytest.mark.parametrize("room", ["grader", "classroom", "stack"])
def test_nobody_needs_the_learners_tools(room):
    for path in sorted((ROOT / room).rglob("*.py")):
        if "sample_class" in path.parts:  # handed in, not imported
            continue
        found = set(imports(path.read_text("utf-8"), package_of(path)))
        assert "learner" not in packages(found), path.relative_to(ROOT)


def test_only_the_worker_imports_airflow():
    others = [p for p in GRADER.rglob("*.py") if "worker" not in p.relative_to(GRADER).parts]
    assert len(others) > 10
    for path in others:
        found = set(imports(path.read_text("utf-8"), package_of(path)))
        wrong = {name for name in found if name.split(".")[0] == "airflow"}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_the_pure_side_loads_without_airflow():
    """In a process of its own; what is asked for is really there."""
    code = (
        "import sys\n"
        "import grader.judge, grader.report, grader.scenario, grader.transcript, grader.course\n"
        "assert 'grader.report.terminal' in sys.modules\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] == 'airflow'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
