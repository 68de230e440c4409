"""The worker and what it leaves behind: nothing, whoever kills whom."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from probing import Notes, Probe, Seen, loaded, part_of, ran, source

from grader.observe.observer import Observer
from grader.observe.worker_client import EnvironmentProblem, WorkerClient
from grader.scenario import Limits
from grader.worker.ending import alive

Observe = Callable[[dict[str, Probe]], Seen]
GOOD = source("@task\ndef good():\n    return 7\n\ngood()")
KILLS = """
@task
def kills():
    import psutil, signal

    os.kill({}, signal.SIGKILL)
    time.sleep(1)

kills()
"""
WORKER = "psutil.Process(os.getppid()).ppid()"
KEEPER = "os.getppid()"
LEAVES = """
@task
def leaves():
    import signal

    for number in range(2):
        if os.fork() == 0:
            if number:
                os.setsid()  # out of the process group
            if os.fork():
                os._exit(0)  # and away from its parent
            open(f"{PLACE}/{os.getpid()}", "w").close()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()
    while len(os.listdir(PLACE)) < 2:
        pass
    return [sorted(os.environ), os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"], sys.argv]

leaves()
"""


def pid(observer: Observer) -> int:
    """The process id of the worker that is there."""
    assert observer._worker is not None
    return observer._worker._process.pid


def scratch(home: Path) -> list[Path]:
    """The folders of scenarios that are under way."""
    return list((home / "run").iterdir())


@pytest.fixture(scope="module")
def left(observe: Observe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, list[int]]:
    """A submission that leaves two processes behind; what they are."""
    place = tmp_path_factory.mktemp("place")
    probe = Probe(source(LEAVES, before=f"PLACE = {str(place)!r}"))
    seen = observe({"leaves": probe})
    return seen, [int(path.name) for path in place.iterdir()]


def test_no_process_is_left(left: tuple[Seen, list[int]], observer: Observer) -> None:
    _, noted = left
    assert len(noted) == 2
    assert not [p for p in noted if psutil.pid_exists(p) and alive(psutil.Process(p))]
    below = psutil.Process(pid(observer)).children(recursive=True)
    assert not [p for p in below if alive(p)]


def test_no_folder_is_left(left: tuple[Seen, list[int]], home: Path) -> None:
    assert scratch(home) == []
    assert {p.name for p in home.iterdir()} <= {"airflow", "run", "worker.log", "durations.json"}


def test_nothing_is_written_to_the_persons_home(left: object, person: Path) -> None:
    assert Path.home() == person
    assert list(person.iterdir()) == []


def test_a_task_sees_its_scratch_folder_and_no_secrets(left: tuple[Seen, list[int]]) -> None:
    names, here, home, temporary, arguments = (
        left[0].only_try("leaves", "leaves").xcoms["return_value"].json_value
    )
    assert os.environ["HERON_SECRET"]
    assert "HERON_SECRET" not in names and "PYTHONPATH" not in names
    assert here == home == temporary
    assert Path(here).name == "work" and not Path(here).exists()
    assert not [a for a in arguments if "grader" in a]


def test_who_kills_the_keeper_is_blamed(observe: Observe, observer: Observer, home: Path) -> None:
    before = pid(observer) if observer._worker else None
    killer = Probe(source(KILLS.format(KEEPER)))
    seen = observe({"killer": killer, "good": Probe(GOOD, (ran("a"), ran("b")))})
    breach = seen("killer").breach
    assert breach is not None
    assert (breach.limit, breach.detail) == ("exit", "it ended the process that was watching it")
    assert [seen.run("good", s).state for s in "ab"] == ["success", "success"]
    assert before is None or pid(observer) == before, "the worker did not have to start again"
    assert scratch(home) == []


def test_who_kills_the_worker_is_blamed(observe: Observe, observer: Observer, home: Path) -> None:
    """What comes after it is observed in a new worker."""
    observe({"warm_up": Probe(GOOD)})
    old = psutil.Process(pid(observer))
    breach = observe({"kills_worker": Probe(source(KILLS.format(WORKER)))})("kills_worker").breach
    assert breach is not None
    assert (breach.limit, breach.phase) == ("exit", "run")
    assert breach.detail == "it ended the grader's own worker"
    assert not old.is_running()
    assert scratch(home) == []
    run = observe({"after": Probe(GOOD)}).run("after")
    assert run.tries[0].xcoms["return_value"].json_value == 7
    assert pid(observer) != old.pid


def test_a_file_that_hangs_is_loaded_once(observe: Observe, notes: Notes) -> None:
    names = [f"s{n}" for n in range(8)]
    text = "import threading\nthreading.Event().wait(60)\n"
    probe = Probe(text, tuple(loaded(n) for n in names), Limits(seconds=2))
    seen = observe({"hangs_at_load": probe})
    begun = [scenario for part, scenario in notes.begun if part == "90_hangs_at_load"]
    assert 1 <= len(begun) <= 2, "at most those that run at the same time"
    assert [seen("hangs_at_load", n).scenario for n in names] == names
    breaches = [seen("hangs_at_load", n).breach for n in names]
    assert all(b is not None and (b.limit, b.phase) == ("seconds", "load") for b in breaches)
    ended = [scenario for part, scenario, _ in notes.ended if part == "90_hangs_at_load"]
    assert sorted(ended) == names


def test_a_file_that_loads_only_sometimes(observe: Observe) -> None:
    text = source("pass", before="open(__file__ + '.x').close()")
    probe = Probe(text, (loaded("without"), ran("with", files={"probe.py.x": ""})))
    seen = observe({"sometimes": probe})
    error = seen("sometimes", "without").import_error
    assert error is not None and error.type == "FileNotFoundError"
    assert seen("sometimes", "with").import_error is None
    assert seen("sometimes", "with").dag is not None


def test_a_part_that_was_not_handed_in(observer: Observer, tmp_path: Path, notes: Notes) -> None:
    started = time.perf_counter()
    found = observer.observe(tmp_path, [(part_of("absent"), (ran("a"), ran("b")))])
    assert time.perf_counter() - started < 1
    assert len(found) == 2
    for transcript in found.values():
        assert transcript.import_error is not None
        assert transcript.import_error.type == "Refused"
        assert "no such file" in transcript.import_error.message
    assert not [scenario for part, scenario in notes.begun if part == "90_absent"]


def test_where_airflow_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the last words of the worker, and the environment to blame."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho first words >&2\necho no module named airflow >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    client = WorkerClient(tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match=r"no module named airflow .*worker\.log"):
        client.wait_until_ready()
    client.stop()


def test_a_full_disk_leaves_no_room_for_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    client = WorkerClient(tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match="the disk is full"):
        client.wait_until_ready()
    client.stop()
