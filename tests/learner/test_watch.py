"""`make watch` in a real terminal, with the real worker: what a learner sees, types and saves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import psutil
import pytest
from course_copy import PATIENCE, Copy

from grader.course import load_course
from learner.watch import syntax_problem

KEYS = "n next part  h hint  r run again  l list  q quit"
HANGS = """
import threading
from airflow.sdk import dag, task

@dag(dag_id="hello_airflow", schedule=None)
def hello_airflow():
    @task
    def choose_name():
        threading.Event().wait(120)
    choose_name()

hello_airflow()
"""


SLOW = HANGS.replace("wait(120)", "wait(3)")
SECOND = load_course().part[1]


def save_by_renaming(file: Path, text: str) -> None:
    """As many editors do."""
    beside = file.with_name(f".{file.name}.swp")
    beside.write_text(text, "utf-8")
    os.replace(beside, file)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them end."""
    return not psutil.wait_procs(processes, timeout=10)[1]


def test_a_sitting(copy: Copy, terminal) -> None:
    """Start, save in all sorts of ways, use each key, and leave."""
    watch = terminal("learner", "watch")
    watch.until("Grading part 00", "Total", "0/10", KEYS)
    file, stub = copy.file(), copy.file().read_text("utf-8")

    file.write_text(copy.solved(), "utf-8")
    watch.until("Grading", "Total", "10/10", "Part 00 passes. n goes on to part 01.", KEYS)
    file.write_text(copy.solved(), "utf-8")
    watch.until("Nothing changed, so it is still 10/10.", KEYS)
    watch.press("h")
    watch.until("Part 00 passes: there is nothing to hint at.", KEYS)

    file.write_text(copy.solved() + "\nx = (\n", "utf-8")
    told = watch.until("Line ", "before, it was 10/10.", KEYS)
    assert "Python cannot read it: '(' was never closed (in `x = (`)." in told
    save_by_renaming(file, stub + "\n")
    watch.until("Grading", "Total", "0/10", KEYS)

    file.rename(file.with_suffix(".away"))
    watch.until("hello_airflow.py is gone. Grading goes on when it is back.", KEYS)
    file.with_suffix(".away").rename(file)
    watch.until("Nothing changed, so it is still 0/10.", KEYS)

    watch.press("h")
    watch.until("Hint 1 of 3 for section 1. Read the name", "press h again", KEYS)
    watch.press("H")
    watch.until("Hint 2 of 3 for section 1. Read the name", KEYS)
    watch.press("l")
    told = watch.until("Minutes left", "Total", KEYS)
    assert re.search(r"00  Hello, Airflow +0/10 +10/10 +10  next", told)
    watch.press("r")
    watch.until("Total", "0/10", KEYS)
    watch.press("n")
    watch.until("Grading part 01", "01  Train and ship a model", "0/29", KEYS)
    below = watch.below()
    watch.press("q")
    assert watch.wait() == 0
    assert below and gone(below) and watch.restored()


def test_what_goes_wrong_meanwhile_is_told_and_the_watch_goes_on(copy: Copy, terminal) -> None:
    watch = terminal("learner", "watch", "00", "--poll")
    watch.until("0/10", KEYS)
    file = copy.file()

    for process in watch.below():
        process.kill()
    file.write_text(copy.solved(), "utf-8")
    watch.until("Grading", "10/10", KEYS)

    runs = copy.folder / ".work" / "run"
    runs.rename(runs.with_name("runs"))
    runs.write_text("in the way")
    try:
        file.write_text(copy.solved() + "\n", "utf-8")
        watch.until("environment: File exists: ", "/.work/run", KEYS)
    finally:
        runs.unlink()
        runs.with_name("runs").rename(runs)
    os.utime(file)
    watch.until("Grading", "10/10", KEYS)

    copy.marks.unlink()
    copy.marks.mkdir()
    watch.press("r")
    watch.until("10/10", "it is kept as progress.json.broken-1", KEYS)

    copy.file(SECOND).unlink()
    watch.press("n")
    watch.until("there is no file exercises/01_ml_training/", "make reset PART=01", KEYS)
    file.write_text(copy.solved() + "\n\n", "utf-8")
    watch.until("Grading", "10/10", KEYS)


@pytest.mark.parametrize(
    ("moment", "way"),
    [
        ("Loading Airflow", "q"),
        ("Loading Airflow", signal.SIGHUP),
        ("00 a name is given", "\x03"),
        ("00 a name is given", signal.SIGTERM),
    ],
)
def test_leaving_is_possible_at_any_moment_and_nobody_is_left(
    moment: str, way: str | signal.Signals, copy: Copy, terminal
) -> None:
    """Also in the middle of a run that hangs."""
    copy.file().write_text(HANGS, "utf-8")
    watch = terminal("learner", "watch", "00")
    watch.until(moment)
    below = watch.below()
    assert below
    watch.press(way) if isinstance(way, str) else watch.process.send_signal(way)
    assert watch.wait() == 0
    assert gone(below) and watch.restored()
    assert "Traceback" not in watch.rest()
    runs = copy.folder / ".work" / "run"
    assert not runs.exists() or list(runs.iterdir()) == []


def test_a_save_during_a_grading_is_graded_afterwards(copy: Copy, terminal) -> None:
    copy.file().write_text(SLOW, "utf-8")
    watch = terminal("learner", "watch", "00")
    watch.until("00 a name is given")
    copy.file().write_text("x = 1\n", "utf-8")
    copy.file().write_text(copy.solved(), "utf-8")
    watch.until("0/10", "10/10", "Part 00 passes", KEYS)


def test_without_a_terminal_there_is_one_report_per_save_and_no_trick(copy: Copy) -> None:
    watch = subprocess.Popen(
        [sys.executable, "-m", "learner", "watch", "00"],
        cwd=copy.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert watch.stdout is not None
    said = until_line(watch.stdout, "Waiting for the next save. Ctrl-C ends this.")
    copy.file().write_text(copy.solved(), "utf-8")
    said += until_line(watch.stdout, "Seed 0")
    watch.send_signal(signal.SIGINT)
    rest, _ = watch.communicate(timeout=PATIENCE)
    said += rest
    assert watch.returncode == 0
    assert said.count("Grading ...") == 1 and said.count("Total ") == 2
    assert "\x1b" not in said and "\r" not in said and "quit" not in said


def until_line(stream: IO[str], start: str) -> str:
    """Everything up to the line that starts so."""
    said = ""
    for line in stream:
        said += line
        if line.startswith(start):
            return said
    raise AssertionError(said)


def test_a_file_that_is_not_there_is_one_line(copy: Copy) -> None:
    copy.file().unlink()
    told = copy.learner("watch", "00")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.splitlines() == [
        "watch: there is no file exercises/00_hello_airflow/hello_airflow.py; "
        "this puts the one that was shipped back: make reset PART=00"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"x = 1\n", None),
        (b"def f(:\n", "Line 1: Python cannot read it: invalid syntax (in `def f(:`)."),
        (b"if x:\npass\n", "Line 2: Python cannot read it: expected an indented block"),
        (b"\xef\xbb\xbfx = (\n", "Line 1: Python cannot read it: '(' was never closed"),
        (b"\xff\xfe", None),
        (b"x = 1\0", None),
        (b"(" * 10_000, "Line 1: Python cannot read it: too many nested parentheses"),
    ],
)
def test_a_syntax_error_is_told_with_its_line(text: bytes, told: str | None) -> None:
    found = syntax_problem(text)
    assert (found is None) if told is None else (found or "").startswith(told)


def test_nothing_of_a_text_is_run_to_find_its_syntax_errors(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert syntax_problem(f"open({str(mark)!r}, 'w')".encode()) is None
    assert not mark.exists()
