"""The canary, and the steps before it: what is fine, and what each says when it is not."""

from __future__ import annotations

import os
import socket
import time
from io import StringIO
from pathlib import Path

import psutil
import pytest
from course_copy import Copy
from rich.console import Console

from grader.observe.worker_client import EnvironmentProblem
from learner import canary_run, machine
from learner.machine import Found
from learner.quickcheck import Canary, examine, first_difference, taken


def test_this_machine_runs_the_canary_as_every_machine_does(copy: Copy) -> None:
    """All steps for real. The lock of this checkout is installed, or these tests were not here."""
    told = copy.learner("quickcheck")
    assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    assert [line[2:16].strip() for line in lines[:9]] == [
        "Python", "packages", "clock", "free disk", "free memory", "folder .work",
        "local servers", "Airflow", "canary DAG",
    ]  # fmt: skip
    assert all(line.startswith("✓ ") for line in lines[:9])
    assert "2 tasks, 1 retry, 6 hours" in lines[8]
    assert lines[-1] == "All is well. What does not pass is not this machine's fault."


def test_a_machine_on_which_airflow_does_not_load(copy: Copy) -> None:
    airflow = copy.folder / "airflow.py"
    airflow.write_text("raise ImportError('broken on purpose')\n", "utf-8")
    try:
        told = copy.learner("quickcheck")
    finally:
        airflow.unlink()
    assert told.returncode == 3
    words = " ".join(told.stdout.split())
    assert "✗ Airflow Airflow could not be loaded" in words and "broken on purpose" in words
    assert "✗ canary DAG not tried, because Airflow does not load" in words
    assert "2 of 9 steps do not work here. It is this machine, not your code." in words


def test_a_work_folder_that_is_a_file_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "HOME", tmp_path / ".work")
    assert machine.work_folder() == Found(True, "can be written to")
    assert list((tmp_path / ".work").iterdir()) == []
    (tmp_path / ".work").rmdir()
    (tmp_path / ".work").write_text("in the way")
    found = machine.work_folder()
    assert not found.ok and "cannot be written to" in found.told and found.advice


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("rich==0.0.1 \\", "rich is "),
        ("no-such-package-there==1.0", "no-such-package-there is missing"),
        ("no-such-package-there==1.0 ; sys_platform == 'win32' \\", ""),
    ],
)
def test_packages_are_those_of_the_lock_for_this_machine(line, told, tmp_path):
    lock = tmp_path / "lock"
    lock.write_text(f"# made by hand\n{line}\n    --hash=sha256:00\n")
    found = machine.packages(lock)
    assert found.ok == (not told) and told in found.told
    assert found.advice == ("" if found.ok else machine.REINSTALL)


def test_many_wrong_packages_are_three_and_a_number(tmp_path):
    (tmp_path / "lock").write_text("".join(f"no-such-{n}==1.0\n" for n in range(7)))
    found = machine.packages(tmp_path / "lock")
    assert found.told.count("is missing") == 3 and found.told.endswith("and 4 more")


def test_too_little_disk_or_memory_says_how_much_is_needed(monkeypatch):
    assert machine.disk().ok and machine.memory().ok
    monkeypatch.setattr(machine, "DISK_GIB", 1e9)
    monkeypatch.setattr(machine, "MEMORY_GIB", 1e9)
    for found in (machine.disk(), machine.memory()):
        assert not found.ok and "GiB are free" in found.advice


def test_a_clock_that_is_behind_is_found(monkeypatch, tmp_path):
    (tmp_path / "new").touch()
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert machine.clock().ok
    tomorrow = time.time() + 86_400
    os.utime(tmp_path / "new", (tomorrow, tomorrow))
    assert not machine.clock().ok and "set the clock" in machine.clock().advice


def test_a_python_that_is_too_old_is_found(monkeypatch):
    assert machine.python().ok
    monkeypatch.setattr(machine, "PYTHONS", ((3, 98), (3, 99)))
    assert not machine.python().ok


def test_local_servers_that_cannot_be_reached_are_named(monkeypatch):
    assert machine.local_servers().ok

    def closed(port: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            free = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", free), timeout=5)

    monkeypatch.setattr(machine, "write", closed)
    monkeypatch.setattr(machine, "count", lambda port: None)
    found = machine.local_servers()
    assert found.told == "no answer from SMTP on 127.0.0.1" and "firewall" in found.advice
    monkeypatch.undo()
    monkeypatch.setattr(machine, "count", lambda port: None)
    assert machine.local_servers().told == "no answer from STATSD on 127.0.0.1"


def test_nothing_is_left_of_the_local_servers():
    before = psutil.Process().num_fds()
    machine.local_servers()
    assert psutil.Process().num_fds() <= before + 1


def test_a_canary_that_does_something_else_is_told_by_the_first_line():
    story = canary_run.STORY
    assert first_difference(story, list(story)) == ""
    assert first_difference(story, ["x", *story[1:]]) == f"it did: x; it should: {story[0]}"
    assert first_difference(story, list(story[:-1])) == (
        f"it did: nothing more; it should: {story[-1]}"
    )
    assert "it should: be at its end" in first_difference(story, [*story, "more"])


def test_what_a_step_raises_is_what_was_found():
    def full() -> Found:
        raise OSError(28, "No space left on device", "/x")

    def broken() -> Found:
        raise EnvironmentProblem("Airflow could not be loaded")

    assert taken(full)[:2] == (False, "No space left on device: /x")
    assert taken(broken) == Found(False, "Airflow could not be loaded", machine.REINSTALL)


def test_one_step_that_fails_does_not_keep_the_others_from_being_taken():
    file = StringIO()
    steps = {
        "first": lambda: Found(False, "no [bold]", "mend it"),
        "second": lambda: Found(True, "yes"),
    }
    assert not examine(steps, Console(file=file, width=80))
    assert file.getvalue().splitlines() == [
        "✗ first         no [bold]",
        "  what to do:   mend it",
        "✓ second        yes",
        "",
        "One step does not work here. It is this machine, not your code.",
    ]


def test_the_canary_is_staged_as_a_submission():
    with canary_run.staged() as folder:
        file = folder / canary_run.PART.slug / canary_run.PART.dag_file
        assert file.read_bytes() == canary_run.SOURCE.read_bytes()
    assert not Path(folder).exists()
    assert Canary.canary(Canary(None, folder)).told.startswith("not tried")
