"""A learner's copy marks as the repository does, anywhere on a disk; a damaged one says so."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from handout_copy import build, environment, git, run, unpack
from test_submissions import Case

from grader.course import ROOT, Part, load_course
from grader.judge.record import Record
from grader.sealed.seal import seal

PARTS = load_course().part
KINDS = ("solved", "wrong", "untouched")
# Each part is marked in one of three ways, or in all three, one after the other.
ROUNDS = range(3 if os.environ.get("MATRIX") == "all" else 1)
GRADE = """
import sys
from pathlib import Path
from grader.api import Grader
with Grader() as grader:
    for folder in sys.argv[1:]:
        print(grader.grade(Path(folder)).model_dump_json())
"""


def kind_of(part: Part, turn: int) -> str:
    """In which of the three ways a part is handed in."""
    return KINDS[(PARTS.index(part) + turn) % len(KINDS)]


def source_of(part: Part, kind: str) -> Path:
    """The file that is handed in, or a patch that makes a misconception of the solution."""
    if kind == "wrong":
        return min((ROOT / "tests" / "submissions" / part.slug).glob("*.patch"))
    tree = "solutions" if kind == "solved" else "exercises"
    return ROOT / tree / part.slug / part.dag_file


def grade_all(course: Path, submissions: list[Path]) -> list[Record]:
    """All of them, one after the other, by one grader that stays warm."""
    done = subprocess.run(
        [sys.executable, "-c", GRADE, *map(str, submissions)],
        cwd=course, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Record.model_validate_json(line) for line in done.stdout.splitlines()]


def settled(record: Record) -> str:
    """A record without the milliseconds that a DAG measured: they differ a little each time."""
    return re.sub(r"[\d,]+(\.\d+)? milliseconds", "milliseconds", record.model_dump_json(indent=1))


@pytest.mark.timeout(900)  # the repository may have nothing in its cache
def test_the_records_are_the_same(zip_file: Path, tmp_path: Path) -> None:
    """Marks, messages, places and hashes: of solutions, misconceptions and stubs of all parts."""
    folders = [tmp_path / str(turn) for turn in ROUNDS]
    for turn, folder in enumerate(folders):
        for part in PARTS:
            Case(part, source_of(part, kind_of(part, turn))).write(folder)
    sealed = grade_all(unpack(zip_file, tmp_path / "copy"), folders)
    plain = grade_all(ROOT, folders)
    assert [settled(record) for record in sealed] == [settled(record) for record in plain]
    for turn, record in enumerate(sealed):
        for part, result in zip(PARTS, record.parts, strict=True):
            share = result.points / part.max_points
            kind = "solved" if share == 1 else "wrong" if share > 0 else "untouched"
            assert kind == kind_of(part, turn), part.slug


def test_a_new_learner_reads_where_to_start(course: Path) -> None:
    """In a folder with blanks and letters beyond ASCII, with the report as a file as well."""
    told = run(course, "grader", "grade", "00", "--json", "größe.json")
    assert told.returncode == 1, told.stderr
    assert "Failing is where you" in told.stdout and "TODO 1" in told.stdout
    record = json.loads((course / "größe.json").read_text("utf-8"))
    assert record["points"] == 0 and record["submission"] == "exercises"


def words_01(course: Path) -> Path:
    """A sealed file that the checks of part 01 need."""
    return course / "grader" / "checks" / "words_01_ml_training.sealed"


def flip(file: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "changed": ("words_01_ml_training.sealed is not as", lambda c: flip(words_01(c))),
    "emptied": ("words_01_ml_training.sealed is not as", lambda c: words_01(c).write_bytes(b"")),
    "deleted": ("words_01_ml_training.sealed is missing", lambda c: words_01(c).unlink()),
    "swapped": (
        "words_01_ml_training.sealed is not as",
        lambda c: shutil.copy(words_01(c).with_name("words_02_data_quality.sealed"), words_01(c)),
    ),
    "replaced by a plain one": (
        "words_01_ml_training.sealed is missing",
        lambda c: words_01(c).rename(words_01(c).with_suffix(".py")),
    ),
    "all deleted": (
        "test_01_ml_training.sealed is missing",
        lambda c: shutil.rmtree(c / "grader" / "checks"),
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_copy_is_the_environments_fault(what: str, course: Path) -> None:
    """One line, before anything of the learner's runs, that says what to do."""
    message, damage = DAMAGE[what]
    damage(course)
    told = run(course, "grader", "grade", "01")
    assert (told.returncode, told.stdout) == (3, "")
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"grade: environment: grader/checks/{message}")
    assert line.endswith("your own files can stay.")


BROKEN = {
    "while it is read": "\n\nWRONG = {}['nowhere']  # a zugzwang\n",
    "in a check": '''

@check(task=1)
def test_broken(observe: Observe) -> None:
    """It breaks."""
    a_zugzwang_name = 1
    assert a_zugzwang_name == "a zugzwang value", observe  # a zugzwang
''',
}


@pytest.mark.parametrize("when", BROKEN)
def test_a_check_that_breaks_shows_nothing_of_itself(when: str, course: Path) -> None:
    """Neither to the learner nor in what is written."""
    name = "test_00_hello_airflow"
    source = (ROOT / "grader" / "checks" / f"{name}.py").read_bytes() + BROKEN[when].encode()
    (course / "grader" / "checks" / f"{name}.sealed").write_bytes(seal(source, name))
    began = time.time()
    told = run(course, "grader", "grade", "00", "--json", "record.json")
    assert told.returncode == 4
    written = [
        path for path in course.rglob("*") if path.is_file() and path.stat().st_mtime > began
    ]
    said = told.stdout + told.stderr + "".join(p.read_text("utf-8", "replace") for p in written)
    assert (course / "record.json" in written) == (when == "in a check")
    assert "zugzwang" not in said
    assert "The grader itself failed" in said or "the grader itself failed" in said
    if when == "while it is read":
        log = (course / ".work" / "grader.log").read_text("utf-8")
        assert "KeyError: 'nowhere'" in told.stderr and f"<sealed {name}>" in log


def test_what_a_check_asserts_is_not_told_in_a_plain_checkout_either(
    committed: Path, tmp_path: Path
) -> None:
    """pytest would write the code of a failed `assert` into its message."""
    folder = tmp_path / "plain"
    git(tmp_path, "clone", "--quiet", str(committed), str(folder))
    with open(folder / "grader" / "checks" / "test_00_hello_airflow.py", "a") as file:
        file.write(BROKEN["in a check"])
    told = run(folder, "grader", "grade", "00", "--json", "record.json")
    assert told.returncode == 4
    assert "AssertionError" in told.stdout + (folder / "record.json").read_text("utf-8")
    assert "zugzwang" not in told.stdout + told.stderr + (folder / "record.json").read_text("utf-8")


def test_a_copy_of_a_copy_cannot_be_built(course: Path) -> None:
    """It has no `classroom`."""
    told = run(course, "classroom.handout")
    assert told.returncode == 1 and "No module named" in told.stderr


def test_make_speaks_only_of_what_is_there(course: Path) -> None:
    """`make help` in a learner's copy, which has no commands of an instructor."""
    told = subprocess.run(
        ["make", "help"], cwd=course, env=environment(), capture_output=True, text=True, check=True
    )
    assert "make grade" in told.stdout and told.stderr == ""
    assert not re.search(r"make (class|release|test|bench)", told.stdout)


def test_a_folder_of_dags_that_is_not_there_is_one_line(course: Path) -> None:
    """The course's own solutions, say."""
    done = subprocess.run(
        [sys.executable, "-m", "stack", "up"],
        cwd=course, env=environment() | {"DAGS": "solutions"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("stack: there is no folder solutions")


def test_a_release_of_a_changed_check_has_another_hash(
    committed: Path, zip_file: Path, tmp_path: Path
) -> None:
    """Only the file that was changed is another one."""
    folder = tmp_path / "changed"
    git(tmp_path, "clone", "--quiet", str(committed), str(folder))
    with open(folder / "grader" / "checks" / "words_04_failures.py", "a") as file:
        file.write("\n# one more line\n")
    git(folder, "commit", "--quiet", "--all", "--message", "another")
    ours = unpack(build(folder, tmp_path / "out"), tmp_path / "a") / "grader" / "checks"
    theirs = unpack(zip_file, tmp_path / "b") / "grader" / "checks"
    different = [
        path.name
        for path in ours.iterdir()
        if path.read_bytes() != (theirs / path.name).read_bytes()
    ]
    assert different == ["words_04_failures.sealed"]
