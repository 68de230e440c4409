"""What runs apart leaves nothing but its answer: no module, no process, no output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel

from grader import apart, collect
from grader.apart import GraderProblem, InTheChild
from grader.course import ROOT, load_course
from grader.observe.worker_client import EnvironmentProblem
from grader.sealed import Damaged

COURSE = load_course()
PR_GET_DUMPABLE = 3


class Told(BaseModel):
    """What the child says in these tests."""

    pid: int = 0
    text: str = ""


def children() -> list[psutil.Process]:
    """Processes that this one has started and not seen end."""
    return psutil.Process().children()


@pytest.fixture(autouse=True)
def nobody_is_left() -> object:
    """Neither a child nor an open descriptor."""
    before, open_before = set(children()), len(os.listdir("/proc/self/fd"))
    yield
    assert set(children()) == before
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_it_runs_in_another_process_and_its_answer_comes_back() -> None:
    told = apart.run(lambda: Told(pid=os.getpid(), text="größer" * 100_000), Told)
    assert told.pid != os.getpid() and told.text == "größer" * 100_000


def test_what_it_changes_is_changed_nowhere_else() -> None:
    seen: list[int] = []

    def work() -> Told:
        seen.append(1)
        return Told(pid=len(seen))

    assert (apart.run(work, Told).pid, seen) == (1, [])


def test_the_checks_are_in_no_module_of_this_process() -> None:
    code = (
        "import sys; from grader import collect; from grader.course import load_course\n"
        "assert collect.declared(load_course().part, 0)\n"
        "print([m for m in sys.modules if m.startswith('grader.checks')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_an_exception_is_the_graders_fault_and_the_log_has_its_place() -> None:
    def work() -> Told:
        raise KeyError("nothing \ud800 here")

    with pytest.raises(GraderProblem, match=r"^KeyError: ") as caught:
        apart.run(work, Told)
    assert isinstance(caught.value.__cause__, InTheChild)
    assert "test_apart.py" in str(caught.value.__cause__)


def test_a_damaged_file_is_the_environments_fault() -> None:
    def work() -> Told:
        raise Damaged("grader/checks/x.sealed is missing")

    with pytest.raises(EnvironmentProblem, match=r"x\.sealed is missing\. Take the folder"):
        apart.run(work, Told)


@pytest.mark.parametrize("how", [lambda: os._exit(0), lambda: os.kill(os.getpid(), 9)])
def test_a_child_that_is_gone_is_said_so(how: object) -> None:
    with pytest.raises(GraderProblem, match="was ended"):
        apart.run(how, Told)


def test_a_child_that_never_ends_is_ended() -> None:
    with pytest.raises(GraderProblem, match="did not come to an end"):
        apart.run(lambda: time.sleep(60) or Told(), Told, patience=1)


PRINTS = """
import os, sys
from grader import apart
def work():
    print("in Python", flush=True)
    print("in Python", file=sys.stderr)
    os.system("echo outside; echo outside >&2")
    return apart.Answer(problem=sys.stdin.read())
assert apart.run(work, apart.Answer).problem == ""
"""


def test_what_it_prints_is_nowhere_and_it_takes_no_input() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], cwd=ROOT, capture_output=True, input="typed", text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fork_in_a_busy_process_comes_back() -> None:
    """A grader that stays warm runs in a thread beside others."""
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            print(end="", file=sys.stderr, flush=True)
            sorted(range(1000))

    with ThreadPoolExecutor() as pool:
        others = [pool.submit(busy) for _ in range(4)]
        try:
            told = [pool.submit(apart.run, lambda: Told(text="here"), Told) for _ in range(20)]
            assert {future.result().text for future in told} == {"here"}
        finally:
            stop.set()
    assert not [other.exception() for other in others if other.exception()]


def test_a_parent_that_ignores_its_children_gets_its_answer() -> None:
    """Some programs start others like that."""
    usual = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert apart.run(lambda: Told(text="here"), Told).text == "here"
    finally:
        signal.signal(signal.SIGCHLD, usual)


INTERRUPTED = """
import os, sys, time
from grader import apart
def work():
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(60)
try:
    apart.run(work, apart.Answer)
except KeyboardInterrupt:
    print("interrupted", os.getpid())
"""


def test_ctrl_c_ends_both_and_only_one_says_so(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(note)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (note.exists() and note.read_text()):
        time.sleep(0.01)
    child = psutil.Process(int(note.read_text()))
    os.killpg(parent.pid, signal.SIGINT)
    said, _ = parent.communicate(timeout=30)
    assert said == f"interrupted {parent.pid}\n"
    assert not child.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told")
def test_others_of_the_same_user_cannot_look_into_its_memory() -> None:
    def work() -> Told:
        return Told(pid=apart.LIBC.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))

    assert work().pid == 1
    assert apart.run(work, Told).pid == 0


@pytest.mark.parametrize("part", COURSE.part, ids=[part.slug for part in COURSE.part])
def test_what_a_part_declares_survives_the_way_back(part: object) -> None:
    """Scenarios are plain data: what JSON makes of them is the same."""
    here = collect._read(part, 3)
    assert collect.Declared.model_validate_json(here.model_dump_json()) == here
    assert collect.declared([part], 3) == {part.slug: here}
    for scenario in here.scenarios:
        back = type(scenario).model_validate_json(scenario.model_dump_json())
        assert back.model_dump_json() == scenario.model_dump_json()
        assert [repr(run.conf) for run in back.runs] == [repr(run.conf) for run in scenario.runs]
