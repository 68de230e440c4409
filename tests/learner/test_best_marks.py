"""The file of marks: what it keeps, and that nothing is lost whatever happens to it."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from grader.course import ROOT
from grader.judge.record import CheckResult, Hashes, PartResult, Record, Versions
from grader.report import BestMarks, PartMarks

ODD = {
    "no JSON": "{",
    "nothing": "",
    "no object": "[]",
    "no text": b"\xff\xfe\x00",
    "a number below zero": '{"version": 1, "parts": {"00_a": {"points": -1}}}',
    "a text for a number": '{"version": 1, "parts": {"00_a": {"points": "3"}}}',
    "something unknown": '{"version": 1, "parts": {}, "more": 1}',
    "another version": '{"version": 2, "parts": {}}',
    "deep brackets": "[" * 100_000,
}


class Told(list[str]):
    """What was said."""

    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


@pytest.fixture
def best(path: Path, told: Told) -> BestMarks:
    return BestMarks(told, path)


def record(points: int, slug: str = "00_a", *, status: str = "passed") -> Record:
    """One part with one check worth ten."""
    check = CheckResult.model_validate(
        {"id": "a", "task": 1, "title": "A.", "status": status, "points": points, "max_points": 10}
    )
    part = PartResult(id=slug, title="A", points=points, max_points=10, checks=[check])
    return Record(
        seed=0,
        submission="exercises",
        points=points,
        max_points=10,
        hashes=Hashes(submission="a", checks="b"),
        versions=Versions(grader="1", python="3", airflow="3"),
        parts=[part],
    )


def test_without_a_file_nothing_is_on_record_and_none_is_made(best, path, told):
    assert best.read() == {}
    assert not path.exists() and told == []


def test_the_last_marks_and_the_best_are_kept(best, path):
    for points in (3, 10, 4):
        best.note(record(points))
    marks = best.read()["00_a"]
    assert (marks.points, marks.best, marks.of) == (4, 10, 10)
    assert marks.when is not None and not marks.complete
    best.note(record(10, "01_b"))
    assert best.read()["01_b"].complete and best.read()["00_a"] == marks


def test_a_person_can_read_the_file(best, path):
    best.note(record(3))
    best.note_hint("00_a", 2, 1)
    text = path.read_text("utf-8")
    assert text.endswith("}\n") and '\n      "points": 3,' in text
    assert json.loads(text)["parts"]["00_a"]["hints"] == {"2": 1}


def test_hints_survive_a_grading_and_marks_survive_a_hint(best):
    best.note_hint("00_a", 2, 1)
    best.note(record(3))
    best.note_hint("00_a", 2, 2)
    best.note_hint("00_a", 3, 1)
    marks = best.read()["00_a"]
    assert (marks.points, marks.hints) == (3, {"2": 2, "3": 1})


def test_what_the_grader_or_the_machine_failed_to_judge_is_not_noted(best):
    best.note(record(10))
    best.note(record(0, status="error"))
    assert best.read()["00_a"].points == 10


def test_a_part_that_is_gone_from_the_course_stays_on_record(best):
    best.note(record(3, "99_old"))
    best.note(record(3))
    assert set(best.read()) == {"99_old", "00_a"}


@pytest.mark.parametrize("kind", ODD)
def test_what_cannot_be_read_is_kept_beside_and_said_so_in_one_line(kind, best, path, told):
    data = ODD[kind] if isinstance(ODD[kind], bytes) else ODD[kind].encode()
    path.write_bytes(data)
    assert best.read() == {}
    kept = path.with_name("progress.json.broken-1")
    assert kept.read_bytes() == data and not path.exists()
    assert told == [
        "progress.json holds no marks that can be read; it is kept as progress.json.broken-1."
    ]


def test_what_is_kept_beside_is_never_overwritten(best, path, told):
    for text in ("first", "second"):
        path.write_text(text)
        best.note(record(3))
        assert best.read()["00_a"].points == 3
    assert path.with_name("progress.json.broken-1").read_text() == "first"
    assert path.with_name("progress.json.broken-2").read_text() == "second"
    assert len(told) == 2


def test_a_folder_in_the_place_of_the_file_is_kept_beside(best, path):
    (path / "in it").mkdir(parents=True)
    best.note(record(3))
    assert best.read()["00_a"].points == 3
    assert path.with_name("progress.json.broken-1").is_dir()


def test_a_link_is_followed(best, path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere" / "marks.json")
    best.note(record(3))
    assert path.is_symlink() and (tmp_path / "elsewhere" / "marks.json").is_file()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder that not even root may write to")
def test_a_folder_that_cannot_be_written_to_is_one_line(told):
    best = BestMarks(told, Path("/proc/progress.json"))
    best.note(record(3))
    assert len(told) == 1
    assert re.fullmatch(r"the marks could not be noted in progress\.json: .+\.", told[0])


def test_a_full_disk_is_one_line_and_the_marks_before_stay(best, path, told):
    best.note(record(3))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        best.note(record(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert told == ["the marks could not be noted in progress.json: File too large."]
    assert sorted(os.listdir(path.parent)) == [".progress.json.lock", "progress.json"]


def test_several_commands_at_once_lose_no_marks(path):
    code = (
        "import sys; from pathlib import Path; from grader.report import BestMarks\n"
        "best = BestMarks(sys.exit, Path(sys.argv[1]))\n"
        "for n in range(1, 26): best.note_hint(sys.argv[2], n, n)\n"
    )
    slugs = [f"0{n}_a" for n in range(4)]
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path), slug], cwd=ROOT) for slug in slugs
    ]
    assert [process.wait(timeout=120) for process in started] == [0] * 4
    found = BestMarks(pytest.fail, path).read()
    assert found == {slug: PartMarks(hints={str(n): n for n in range(1, 26)}) for slug in slugs}


def test_a_command_that_hangs_while_it_writes_does_not_hang_the_others(
    best, path, told, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("grader.report.best_marks.PATIENCE", 0.05)
    holder = [sys.executable, "-c", HOLD, str(path.with_name(".progress.json.lock"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(holder, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        best.note(record(3))
        process.communicate("\n")
    assert told == [
        "the marks could not be noted in progress.json: another command is still writing it."
    ]


HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""
