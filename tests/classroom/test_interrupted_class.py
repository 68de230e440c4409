"""The sample class, marked for real: undisturbed, killed at random moments, stopped by a person."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from bench.interrupted import mark_interrupted
from grader.api import HOME
from grader.course import ROOT
from grader.observe.sandbox import missing

SAMPLE = ROOT / "classroom" / "sample_class"
SANDBOX = "none" if missing("bwrap") else "bwrap"
KILLS = 3

marks_it_all = pytest.mark.skipif(
    os.environ.get("MATRIX") != "all", reason="takes a minute or two; only with MATRIX=all"
)


def command(out: Path, sandbox: str = SANDBOX) -> list[str]:
    """What `make class` calls, for the sample class's parts 00 and 01."""
    mark = [sys.executable, "-m", "classroom", "mark", str(SAMPLE), str(out), "00", "01"]
    return [*mark, "--sandbox", sandbox]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Where the marks are, and how many seconds it took."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    started = time.monotonic()
    done = subprocess.run(command(out), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out, time.monotonic() - started


@marks_it_all
def test_the_sample_class_has_the_marks_that_the_page_for_instructors_tells(
    undisturbed: tuple[Path, float],
) -> None:
    with (undisturbed[0] / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        marks = {row[0]: row[6:8] for row in list(csv.reader(file))[2:]}
    hostile = ["0", "0"] if SANDBOX == "bwrap" else ["0", "29"]
    assert marks == {
        "Ada Brandt": ["10", "29"],
        "Björn Sørensen": ["10", "15"],
        "Chidi Okafor": ["8", "22"],
        "duartemaria": ["8", "25"],
        "Emil Weber": ["0", "0"],
        "Fatou Diallo": ["10", "29"],
        "Gero Hass": hostile,
        "Hana Kim": ["8", "29"],
    }


@marks_it_all
def test_one_that_is_killed_again_and_again_ends_with_the_same_marks(
    undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    out, seconds = undisturbed
    again = tmp_path / "out"
    found = mark_interrupted(command(again), KILLS, seconds, Random(7))
    assert (found.code, found.outlived) == (0, [])
    assert found.killed > 0
    assert (again / "gradebook.csv").read_bytes() == (out / "gradebook.csv").read_bytes()
    assert not list((HOME / "class").glob("*/submission")), "scratch folders were left"


def test_a_person_who_stops_it_is_told_how_to_go_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path / "out"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    journal = tmp_path / "out" / "marks.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == (
        "class: stopped. Marks made so far are kept; the same command goes on."
    )
    assert journal.read_bytes().count(b"\n") > 0
