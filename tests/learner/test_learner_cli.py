"""What a learner's commands say when they cannot do what they were asked for, and after Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest
from course_copy import PATIENCE, Copy

from grader.course import load_course

COMMANDS = ("watch", "hint", "show", "solution", "reset")
FILE = "exercises/00_hello_airflow/hello_airflow.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_part_that_is_none_is_one_line(command, copy: Copy):
    told = copy.learner(command, "77")
    assert (told.returncode, told.stdout) == (2, "")
    known = ", ".join(load_course().numbers)
    assert told.stderr == f"{command}: there is no part '77'; the parts are {known}.\n"


@pytest.mark.parametrize("command", ["watch", "hint", "show", "solution"])
@pytest.mark.parametrize("kind", ["gone", "folder"])
def test_a_file_that_is_gone_or_a_folder_is_one_line(command, kind, copy: Copy):
    copy.file().unlink()
    if kind == "folder":
        copy.file().mkdir()
    try:
        told = copy.learner(command, "00")
    finally:
        if kind == "folder":
            copy.file().rmdir()
    assert (told.returncode, told.stdout) == (1, "")
    start = f"there is no file {FILE}" if kind == "gone" else f"{FILE} is a folder"
    assert told.stderr.startswith(f"{command}: {start}") and told.stderr.count("\n") == 1
    assert "make reset PART=00" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("hint", "01", "--task", "8"), "hint: part 01 has sections 1 to 7."),
        (("hint", "01", "--task", "0"), "hint: part 01 has sections 1 to 7."),
        (("solution",), "solution: say which part: make solution PART=01"),
        (("show", "00", "01"), "show: name one part; this works on one at a time."),
    ],
)
def test_usage_is_exit_2_and_one_line(arguments, line, copy: Copy):
    told = copy.learner(*arguments)
    assert (told.returncode, told.stdout, told.stderr) == (2, "", f"{line}\n")


def test_without_a_part_it_is_the_first_that_is_not_complete(copy: Copy):
    copy.marks.write_text(
        '{"version": 1, "parts": {"00_hello_airflow": {"points": 10, "best": 10, "of": 10}}}'
    )
    told = copy.learner("hint", "--task", "2")
    assert "Hint 1 of 3 for section 2. Let failed tasks try again" in told.stdout
    assert "make hint PART=01 TASK=2" in told.stdout


def test_a_hint_is_for_the_first_section_that_does_not_pass(copy: Copy):
    solved = copy.solved()
    assert 'return params["name"]' in solved
    copy.file().write_text(solved.replace("!", "."), "utf-8")
    told = copy.learner("hint", "00")
    assert "Hint 1 of 3 for section 2. Build the greeting" in told.stdout
    copy.file().write_text("def f(:\n", "utf-8")
    told = copy.learner("hint", "00")
    assert (told.returncode, told.stdout) == (1, "")
    line = told.stderr.splitlines()[-1]
    assert line.startswith("hint: No section can be helped before this is mended") and FILE in line


@pytest.mark.parametrize("command", ["hint", "show", "quickcheck"])
def test_ctrl_c_is_one_line_and_nobody_is_left(command, copy: Copy):
    started = subprocess.Popen(
        [sys.executable, "-m", "learner", command],
        cwd=copy.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    process = psutil.Process(started.pid)
    copy.file().write_text(f"{copy.solved()}\n# {command}\n", "utf-8")
    while not (below := process.children(recursive=True)) and started.poll() is None:
        pass
    os.killpg(started.pid, signal.SIGINT)
    _, told = started.communicate(timeout=PATIENCE)
    assert started.returncode == 130
    assert [line for line in told.splitlines() if line.startswith(f"{command}: ")] == [
        told.splitlines()[-1]
    ]
    assert "Traceback" not in told
    assert below and not psutil.wait_procs(below, timeout=10)[1]


def test_help_names_every_command(copy: Copy):
    told = copy.learner("--help")
    assert told.returncode == 0
    assert all(name in told.stdout for name in (*COMMANDS, "progress", "quickcheck"))
