"""`python -m classroom mark`: usage, what is marked anew, what is printed. The journal has marks
already, but for one class that is marked for real.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classroom import one_class
from classroom.cli import app
from classroom.journal import Entry, Journal
from classroom.plan import units_by_owner
from classroom.submissions import collect
from grader.course import ROOT, load_course
from grader.judge.record import CheckResult, PartResult

COURSE = load_course()
HELLO = COURSE.part[0]
ONLY_HELLO = COURSE.model_copy(update={"part": (HELLO,)})


@pytest.fixture
def submissions(tmp_path) -> Path:
    """Two learners with part 00: one has the solution, one the stub."""
    for name, folder in (
        ("Jana Müller_77_assignsubmission_file_", "solutions"),
        ("omar", "exercises"),
    ):
        place = tmp_path / "class" / name / HELLO.slug
        place.mkdir(parents=True)
        shutil.copy(ROOT / folder / HELLO.slug / HELLO.dag_file, place)
    return tmp_path / "class"


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def part_result(status: str, blame: str | None = None) -> PartResult:
    points = HELLO.max_points if status == "passed" else 0
    check = CheckResult(
        id="greets", task=1, title="It greets.", status=status, blame=blame,
        points=points, max_points=HELLO.max_points,
    )  # fmt: skip
    return PartResult(
        id=HELLO.slug, title=HELLO.title, points=points, max_points=HELLO.max_points, checks=[check]
    )


def note(submissions: Path, out: Path, results: dict[str, PartResult], seed: int = 0) -> None:
    """Put marks into the journal, by learner id."""
    found = collect(submissions, ONLY_HELLO)
    units = units_by_owner(found.learners, found.sources, [HELLO], seed, "none")
    out.mkdir(exist_ok=True)
    with Journal(out / one_class.JOURNAL) as journal:
        for id, result in results.items():
            journal.add(Entry(key=units[id, HELLO.slug].key, seconds=1.5, result=result))


def mark(*arguments: object):
    return CliRunner().invoke(app, ["mark", *map(str, arguments)])


def marked(submissions: Path, out: Path, *more: str):
    return mark(submissions, out, "00", "--sandbox", "none", *more)


BOTH = {"jana-müller-77": part_result("passed"), "omar": part_result("failed", "submission")}


# --- what comes out -----------------------------------------------------------------------------


def test_marks_that_are_there_are_written_up_without_marking_again(submissions, out):
    note(submissions, out, BOTH)
    done = marked(submissions, out)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2 learners, 2 parts, 2 of them different; 0 to be marked.",
        "2 learners, 1 with full marks, median 5 of 10.",
        f"Marks are in {out / 'gradebook.csv'}; open {out / 'class.html'} to read on.",
    ]
    rows = list(csv.DictReader((out / "gradebook.csv").open(encoding="utf-8-sig")))
    assert [(row["Student"], row["ID"], row["Final Points"]) for row in rows[1:]] == [
        ("Jana Müller", "77", "10"),
        ("omar", "", "0"),
    ]
    assert "as it was shipped" in rows[2]["Notes"]


def test_the_class_holds_what_the_marks_depend_on(submissions, out):
    note(submissions, out, BOTH)
    marked(submissions, out)
    data = json.loads((out / "class.json").read_text("utf-8"))
    assert [basis["part"] for basis in data["basis"]] == [HELLO.slug]
    texts = [data["engine"], *list(data["basis"][0].values())[1:]]
    assert all(len(text) == 64 for text in texts) and len(set(texts)) == 4


def test_who_left_is_named(submissions, out):
    note(submissions, out, BOTH)
    marked(submissions, out)
    shutil.rmtree(submissions / "omar")
    done = marked(submissions, out)
    assert "Gone from the class, so their files were removed: omar." in done.stdout
    assert os.listdir(out / "learners") == ["jana-müller-77"]


@pytest.fixture
def no_marking(monkeypatch) -> list[list[str]]:
    """The owners of what would be marked; nothing is."""
    asked: list[list[str]] = []

    async def mark_sessions(sessions, *_more) -> None:
        asked.append([owner for session in sessions for owner in session.owners])

    monkeypatch.setattr(one_class, "mark_sessions", mark_sessions)
    return asked


def test_what_the_grader_lost_is_tried_again_and_ends_with_4(submissions, out, no_marking):
    note(submissions, out, {**BOTH, "omar": part_result("error", "grader")})
    done = marked(submissions, out)
    assert no_marking == [["omar"]]
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1] == (
        "class: 1 part could not be marked; class.html says which, and why."
    )
    rows = list(csv.DictReader((out / "gradebook.csv").open(encoding="utf-8-sig")))
    assert rows[2]["Final Points"] == ""


@pytest.mark.parametrize("change", [["--seed", "1"], ["--sandbox", "bwrap"]])
def test_another_seed_or_sandbox_is_another_marking(
    submissions, out, no_marking, change, monkeypatch
):
    monkeypatch.setattr("classroom.cli.choose", lambda wanted: wanted)
    note(submissions, out, BOTH)
    marked(submissions, out, *change)
    assert no_marking == [["jana-müller-77", "omar"]]


# --- bad usage, a bad machine -------------------------------------------------------------------


def test_bad_usage_is_one_line_and_2(submissions, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for arguments, words in (
        (("", "x"), "make class SUBMISSIONS=dir OUT=dir"),
        ((submissions, ""), "make class SUBMISSIONS=dir OUT=dir"),
        ((tmp_path / "nowhere", "x"), "is not there"),
        ((tmp_path / "file", "x"), "is a file"),
        ((submissions, tmp_path / "file"), "is a file"),
        ((submissions, submissions / "out"), "is inside"),
        ((submissions, tmp_path / "out", "99"), "there is no part '99'"),
        ((tmp_path / "empty", tmp_path / "out", "--sandbox", "none"), "holds no submission"),
    ):
        done = mark(*arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
        assert words in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_second_run_waits_for_the_first(submissions, out):
    note(submissions, out, BOTH)
    with Journal(out / one_class.JOURNAL):
        done = marked(submissions, out)
    assert done.exit_code == 2 and "another run is writing" in done.stderr


def test_a_full_disk_is_one_line_and_loses_no_mark(submissions, out, monkeypatch):
    note(submissions, out, BOTH)

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("grader.report.json_file.os.fsync", full)
        done = marked(submissions, out)
    assert done.exit_code == 3
    assert done.stderr == (
        f"class: {out / 'class.json'} was not written: No space left on device. "
        "Marks made so far are kept.\n"
    )
    assert marked(submissions, out).exit_code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_is_one_line(submissions, out):
    note(submissions, out, BOTH)
    out.chmod(0o555)
    try:
        done = marked(submissions, out)
    finally:
        out.chmod(0o755)
    assert done.exit_code == 3 and len(done.stderr.splitlines()) == 1


# --- for real -----------------------------------------------------------------------------------


def test_a_class_is_marked_for_real(submissions, out):
    command = [sys.executable, "-m", "classroom", "mark", str(submissions), str(out), "00"]
    done = subprocess.run(
        [*command, "--sandbox", "none"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 learners, 1 with full marks, median 5 of 10." in done.stdout
    text = (out / "learners" / "jana-müller-77" / "feedback.md").read_text("utf-8")
    assert "Everything passes. Well done." in text
    again = subprocess.run(
        [*command, "--sandbox", "none"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "0 to be marked." in again.stdout and again.stderr == ""
