"""What `make progress` shows, and what `make grade` and other commands leave on record for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from io import StringIO

import pytest
from course_copy import PART, Copy
from rich.console import Console

from grader.course import ROOT, load_course
from grader.report import PartMarks
from learner.progress import minutes_left, print_progress

COURSE = load_course()
NOW = datetime(2100, 1, 1, tzinfo=UTC)


def marks(points: int, best: int, of: int) -> PartMarks:
    return PartMarks(points=points, best=best, of=of, when=NOW)


def table(known: dict[str, PartMarks], width: int = 80) -> str:
    file = StringIO()
    print_progress(COURSE, known, Console(file=file, width=width))
    return file.getvalue()


def row(text: str, start: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(start)]
    return re.split(r"  +", found.strip())


@pytest.mark.parametrize(
    ("points", "of", "left"),
    [(0, 29, 45), (29, 29, 0), (28, 29, 2), (1, 29, 44), (15, 30, 23), (0, 0, 45)],
)
def test_the_minutes_left_are_the_share_of_the_marks_that_is_missing(points, of, left):
    part = COURSE.part[1]
    assert part.minutes == 45
    assert minutes_left(part, {part.slug: marks(points, points, of)}) == left
    assert minutes_left(part, {}) == 45


def test_each_part_has_its_marks_now_and_the_best():
    first, second, third = (part.slug for part in COURSE.part[:3])
    text = table({first: marks(10, 10, 10), second: marks(12, 20, 29), third: marks(0, 0, 25)})
    assert row(text, "00") == ["00", "Hello, Airflow", "10/10", "10/10", "0", "done"]
    assert row(text, "01") == ["01", "Train and ship a model", "12/29", "20/29", "27", "next"]
    assert row(text, "02")[2:] == ["0/25", "0/25", "45"]
    assert row(text, "03")[2:4] == ["-", "-"]
    total = sum(part.max_points for part in COURSE.part)
    left = 27 + sum(part.minutes for part in COURSE.part[2:])
    assert row(text, "Total") == ["Total", f"22/{total}", f"30/{total}", str(left)]
    assert "Next: part 01, Train and ship a model, in exercises/01_ml_training/README.md" in text


def test_a_part_that_was_broken_again_is_the_next_one():
    text = table({COURSE.part[0].slug: marks(3, 10, 10)})
    assert row(text, "00")[2:] == ["3/10", "10/10", "7", "next"]


def test_when_all_is_done_it_says_so():
    full = {p.slug: marks(p.max_points, p.max_points, p.max_points) for p in COURSE.part}
    text = table(full)
    assert "All parts have full marks. Well done." in text and "Next:" not in text
    assert row(text, "Total")[3] == "0"


def test_a_best_mark_from_before_a_part_got_smaller_is_not_above_it():
    text = table({COURSE.part[0].slug: marks(5, 12, 10)})
    assert row(text, "00")[3] == "10/10"


def test_before_the_first_grading_it_says_so_and_where_to_begin():
    text = table({})
    assert "Nothing is graded yet." in text and "Next: part 00" in text
    assert row(text, "00")[2:] == ["-", "-", "10", "next"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_it_fits(width):
    longest = max(len(line.rstrip()) for line in table({}, width).splitlines()[:9])
    assert longest <= width


# --- in a copy of the course ---------------------------------------------------------------------


def noted(copy: Copy) -> dict[str, dict]:
    return json.loads(copy.marks.read_text("utf-8"))["parts"]


def test_grading_the_exercises_is_noted_and_grading_elsewhere_is_not(copy: Copy) -> None:
    """From the worker to the table; an edit afterwards is said, too."""
    elsewhere = copy.run("grader", "grade", "00", "--submission", "solutions")
    assert elsewhere.returncode == 0 and not copy.marks.exists()
    assert copy.run("grader", "grade", "00").returncode == 1
    assert (noted(copy)[PART.slug]["points"], noted(copy)[PART.slug]["best"]) == (0, 0)
    copy.file().write_text(copy.solved(), "utf-8")
    by_path = copy.run("grader", "grade", "00", "--submission", str(copy.folder / "exercises"))
    assert by_path.returncode == 0 and noted(copy)[PART.slug]["points"] == 10
    told = copy.learner("progress")
    assert (told.returncode, told.stderr) == (0, "")
    assert row(told.stdout, "00")[2:] == ["10/10", "10/10", "0", "done"]
    assert "\x1b" not in told.stdout


def test_marks_that_cannot_be_noted_are_one_line_and_the_report_is_there(copy: Copy) -> None:
    """The lock is a folder, so that not even root can open it."""
    lock = copy.folder / ".progress.json.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    try:
        told = copy.run("grader", "grade", "00")
    finally:
        lock.rmdir()
    assert told.returncode == 1 and "0/10" in told.stdout
    assert "grade: the marks could not be noted in progress.json: Is a directory." in told.stderr


def test_a_broken_file_of_marks_is_kept_and_the_command_goes_on(copy: Copy) -> None:
    copy.marks.write_text("{oops", "utf-8")
    told = copy.learner("progress")
    assert told.returncode == 0 and "Nothing is graded yet." in told.stdout
    assert told.stderr.count("\n") == 1 and "kept as progress.json.broken-1" in told.stderr
    assert copy.marks.with_name("progress.json.broken-1").read_text() == "{oops"


def test_cleaning_up_leaves_the_marks_alone(tmp_path) -> None:
    (tmp_path / "progress.json").write_text("{}")
    (tmp_path / ".work").mkdir()
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert {path.name for path in tmp_path.iterdir()} == {"progress.json", "Makefile"}


def test_an_edit_after_the_grading_is_said(copy: Copy) -> None:
    copy.marks.write_text(
        json.dumps({"version": 1, "parts": {PART.slug: {
            "points": 4, "best": 4, "of": 10, "when": "2001-01-01T00:00:00Z"}}})
    )  # fmt: skip
    told = copy.learner("progress")
    assert row(told.stdout, "00")[-1] == "next; edited since"


def test_a_course_without_its_list_is_one_line(copy: Copy) -> None:
    listed = copy.folder / "exercises" / "course.toml"
    shutil.move(listed, copy.folder / "away")
    try:
        told = copy.learner("progress")
    finally:
        shutil.move(copy.folder / "away", listed)
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.startswith("progress: environment: No such file") and "course.toml" in (
        told.stderr
    )
