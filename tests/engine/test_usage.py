"""What the command line refuses before anything is run, and what a seed does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from repository import Repo, one_line
from typer.testing import CliRunner

from grader import collect
from grader.cli import app
from grader.course import ROOT, load_course

USAGE = {
    "no such part": (["99"], "there is no part '99'; the parts are 00"),
    "no such part among others": (["00,nonsense"], "there is no part 'nonsense'"),
    "no such folder": (["--submission", "/nowhere"], "there is no folder /nowhere"),
    "a file for a folder": (["--submission", __file__], f"{__file__} is a file; name the folder"),
    "nowhere to write": (["--json", "/nowhere/a.json"], "there is no folder /nowhere to write"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage_is_exit_2_and_one_line(name: str) -> None:
    arguments, line = USAGE[name]
    told = CliRunner().invoke(app, ["grade", *arguments])
    assert told.exit_code == 2
    assert told.stderr.startswith(f"grade: {line}"), told.stderr
    assert told.stderr.count("\n") == 1 and told.stdout == ""


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--seed", "x"], ["--no-such-option"]])
def test_options_that_cannot_be(arguments: list[str]) -> None:
    told = CliRunner().invoke(app, ["grade", *arguments])
    assert told.exit_code == 2
    assert arguments[0] in told.stderr and "Traceback" not in told.stderr


def test_an_unknown_part_is_told_before_anything_is_loaded(repo: Repo) -> None:
    told = repo.grade("77")
    assert told.returncode == 2
    one_line(told, "there is no part '77'")
    assert told.stdout == "" and told.stderr.count("\n") == 1


def test_a_seed_draws_the_inputs() -> None:
    for part in load_course().part:
        first, same, other = (collect.scenarios(part, seed) for seed in (0, 0, 1))
        assert first == same
        assert [s.name for s in first] == [s.name for s in other]
        assert first != other, f"{part.slug} has the same inputs under every seed"


def test_a_seed_means_the_same_everywhere() -> None:
    """Also where Python hashes its strings otherwise."""
    code = (
        "from grader import collect; from grader.course import load_course\n"
        "for p in load_course().part:\n"
        "    for s in collect.scenarios(p, 5): print(s.model_dump_json())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and len(found.pop()) > 1000
