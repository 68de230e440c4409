"""While learner code runs, no line of a hidden check can be found in a learner's copy.

A DAG searches the files of the course and the temporary folder, and the memory, arguments,
environments and open files of all processes of the grading. It finds a process that has such a line
in all of these, so it would find a check; and in a plain checkout it does.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from handout_copy import environment, git, lend_database

from grader.course import ROOT
from grader.judge.record import Record

LOOKS_AROUND = Path(__file__).with_name("looks_around.py").read_text("utf-8")
PARTS = ("00_hello_airflow", "01_ml_training")
# A grader that stays warm has drawn scenarios and judged before the search begins.
GRADE_TWICE = """
import os, sys
from pathlib import Path
from grader.api import Grader
submission, solved = Path(sys.argv[1]), Path(sys.argv[2])
file = submission / "00_hello_airflow" / "hello_airflow.py"
file.write_text(file.read_text("utf-8").replace("@GRADER@", str(os.getpid())), "utf-8")
with Grader(jobs=1) as grader:  # one search at a time: each has in its memory what it finds
    assert grader.grade(solved, ["00", "01"]).exit_code == 0
    print(grader.grade(submission, ["00", "01"]).model_dump_json())
"""
# It holds a line in its environment, its arguments, an open file that has no name, and its memory.
HOLDER = """
import sys, tempfile, time
file = tempfile.TemporaryFile()
file.write(sys.argv[1].encode())
file.flush()
time.sleep(600)
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it needs /proc")


def lines_to_look_for() -> list[str]:
    """Of each check file of some parts, what stands at a function that no message quotes."""
    found = []
    for slug in PARTS:
        for file in sorted((ROOT / "grader" / "checks").glob(f"*_{slug}.py")):
            said = [
                (ast.get_docstring(node) or "").splitlines()[0]
                for node in ast.parse(file.read_text("utf-8")).body
                if isinstance(node, ast.FunctionDef)
                and not node.name.startswith("test_")
                and ast.get_docstring(node)
            ]
            found.append(max((line for line in said if line.isascii()), key=len))
    assert len(found) == 4 and all(30 < len(line) < 150 for line in found)
    return found


def submission(folder: Path, course: Path, temporary: Path) -> Path:
    """The DAG that looks around, as part 00."""
    wanted = [bytes(byte + 1 for byte in line.encode()).hex() for line in lines_to_look_for()]
    text = LOOKS_AROUND.replace("@COURSE@", str(course)).replace("@TEMPORARY@", str(temporary))
    file = folder / "00_hello_airflow" / "hello_airflow.py"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("@WANTED@", '", "'.join(wanted)), "utf-8")
    return folder


def search(course: Path, folder: Path) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """How many places of each kind were read and how many bytes, and where a line was found.

    Beside the grader runs a process that holds a line, started by a shell that is gone.
    """
    temporary, line = folder / "temporary", lines_to_look_for()[0]
    temporary.mkdir(parents=True)
    (temporary / "left here").write_text(line)
    (folder / "holder").symlink_to(Path(sys.executable).resolve())  # so its name is its own
    command = [
        *("bash", "-c", 'HELD=$1 "$2" -c "$3" "$1" & shift 3; exec "$@"', "bash"),
        *(line, folder / "holder", HOLDER),
        *(sys.executable, "-c", GRADE_TWICE),
        *(submission(folder / "submission", course, temporary), ROOT / "solutions"),
    ]
    process = subprocess.Popen(
        list(map(str, command)), cwd=course, env=environment() | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        record = Record.model_validate_json(process.stdout.readline())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    message = next(c.message for c in record.parts[0].checks if c.message and "SEEN" in c.message)
    told = re.search(r"SEEN (.*) FOUND (.*) END", message)
    assert told is not None
    return ast.literal_eval(told[1]), ast.literal_eval(told[2])


def memory_can_be_read() -> bool:
    """Whether a process may look into others of its user, which are not below it."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return os.getuid() == 0 or not scope.exists() or scope.read_text().strip() == "0"


def planted(temporary: Path) -> list[str]:
    """Where the test itself has put a line."""
    kinds = ["cmdline", "descriptor", "environ", *(["memory"] if memory_can_be_read() else [])]
    return [f"{kind} of holder" for kind in kinds] + [f"file {temporary / 'left here'}"]


def test_a_search_finds_the_checks_of_a_plain_checkout(committed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    git(tmp_path, "clone", "--quiet", str(committed), str(folder))
    lend_database(folder)
    _, found = search(folder, tmp_path / "searched")
    checks = [f"file {folder}/grader/checks/test_{slug}.py" for slug in PARTS]
    assert set(checks) <= set(found)
    assert set(planted(tmp_path / "searched" / "temporary")) <= set(found)


def test_a_search_finds_nothing_in_a_learners_copy(course: Path, tmp_path: Path) -> None:
    """But for what the test has put there itself."""
    seen, found = search(course, tmp_path / "searched")
    assert found == sorted(planted(tmp_path / "searched" / "temporary"))
    files, _ = seen["file"]
    assert files > 200 and seen["environ"][0] >= 4 and seen["cmdline"][0] >= 4
    if memory_can_be_read():
        count, size = seen["memory"]
        assert count >= 5 and size > 200 << 20
