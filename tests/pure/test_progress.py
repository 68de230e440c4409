"""What people see while scenarios run. Without Airflow."""

from __future__ import annotations

from io import StringIO
from threading import Thread

import pytest
from rich.console import Console

from grader.report import Progress


def work(progress):
    with progress:
        progress.stage("Starting Airflow")
        progress.expect(3)
        for part, name, cached in [("00", "a", False), ("01", "b", True), ("01", "[red]c", True)]:
            progress.started(part, name)
            progress.finished(part, name, 0.5, cached)


def test_progress_in_a_pipe_is_a_line_per_stage_and_part():
    file = StringIO()
    work(Progress(Console(file=file)))
    assert file.getvalue().splitlines() == [
        "Starting Airflow",
        "Part 00: 1 scenario in 0.5 s",
        "Part 01: 2 scenarios, nothing changed",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_says_nothing(terminal):
    file = StringIO()
    console = Console(file=file, force_terminal=terminal)
    work(Progress(console, quiet=True))
    assert file.getvalue() == ""


def test_progress_on_a_terminal_counts_names_what_runs_and_leaves_no_trace():
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with Progress(console) as progress:
        progress.expect(2)
        progress.started("01", "hopeless [red]data")
        progress._live.refresh()
        assert "0/2" in file.getvalue() and "01 hopeless [red]data" in file.getvalue()
        progress.finished("01", "hopeless [red]data", 0.5, False)
        progress._live.refresh()
        assert "1/2" in file.getvalue()
    assert file.getvalue().rstrip("\x1b[?25h").endswith("\x1b[2K")


def test_progress_ends_when_the_work_breaks():
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with pytest.raises(RuntimeError), Progress(console) as progress:
        progress.started("01", "a")
        raise RuntimeError
    assert "\x1b[?25h" in file.getvalue()


def test_progress_may_be_told_from_many_threads():
    file = StringIO()
    progress = Progress(Console(file=file))
    progress.expect(200)

    def some():
        for _ in range(50):
            progress.started("01", "a")
            progress.finished("01", "a", 0.01, False)

    threads = [Thread(target=some) for _ in range(4)]
    with progress:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert file.getvalue() == "Part 01: 200 scenarios in 2.0 s\n"
