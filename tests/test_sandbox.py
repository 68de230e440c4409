"""What only a sandbox stops: a trick works without one, and in bubblewrap it does not.

Grades the files of `tests/submissions/outside/` with the real engine, both ways. Skipped where
bubblewrap does not work, unless `SANDBOX=bwrap` says that it has to.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hostile_case import DAG_FILE, PART, assert_verdict, course_with, happened

from grader.api import Grader
from grader.course import ROOT
from grader.judge.record import PartResult
from grader.observe import sandbox
from grader.observe.sandbox import LOCKS, NoSandbox, bubblewrap, choose, missing

OUTSIDE = Path(__file__).parent / "submissions" / "outside"
TRICKS = sorted(path.stem for path in OUTSIDE.glob("*.py"))
MARK = "heron-neighbour"
LEAVES = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["{mark}", "600"])
    os._exit(0)
os.wait()
time.sleep(0.3)
"""

if os.environ.get("SANDBOX") != "bwrap":
    pytestmark = pytest.mark.skipif(missing("bwrap") is not None, reason=str(missing("bwrap")))


@pytest.fixture(scope="module", params=["none", "bwrap"])
def grader(request: pytest.FixtureRequest) -> Iterator[Grader]:
    """One grader for each kind; its home has a name that tells nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="home-") as home,
        Grader(jobs=1, cache=False, home=Path(home), lock=LOCKS[request.param]) as grader,
    ):
        grader.course = course_with(20)
        grader.kind = request.param  # type: ignore[attr-defined]
        yield grader


@pytest.fixture
def victim() -> Iterator[psutil.Popen]:
    """A process of somebody else."""
    process = psutil.Popen([MARK, "600"], executable=shutil.which("sleep"))
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def hand_in(folder: Path, text: str) -> Path:
    """A submission with this file for part 00."""
    place = folder / PART
    place.mkdir(parents=True)
    (place / DAG_FILE).write_text(text, "utf-8")
    return folder


@pytest.fixture
def grade(
    grader: Grader, tmp_path: Path, victim: psutil.Popen, server: socket.socket
) -> Callable[[str], PartResult]:
    """Grade a text as part 00, with a neighbour's submission on the disk."""
    neighbour = hand_in(tmp_path / "neighbour", "# not yours\n")

    def grade(text: str) -> PartResult:
        for name, value in {
            "NEIGHBOUR": neighbour,
            "PORT": server.getsockname()[1],
            "PID": victim.pid,
            "MARK": MARK,
            "ROOT": ROOT,
            "UID": os.getuid(),
        }.items():
            text = text.replace(f"@{name}@", str(value))
        folder = hand_in(tmp_path / "submission", text)
        return grader.grade(folder, [PART]).parts[0]

    return grade


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_works_only_without_a_sandbox(
    name: str, grader: Grader, grade: Callable[[str], PartResult], victim: psutil.Popen
) -> None:
    part = grade((OUTSIDE / f"{name}.py").read_text("utf-8"))
    if grader.kind == "bwrap":  # type: ignore[attr-defined]
        assert_verdict("full_marks", part)
        assert victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE
    else:
        assert_verdict("no_marks", part)
        assert "it worked" in happened(part)


def test_nothing_is_left_running(
    grader: Grader, grade: Callable[[str], PartResult], tmp_path: Path
) -> None:
    """A process that left its group and its parent ends with the scenario."""
    mark = f"heron-{os.getpid()}-{grader.kind}"  # type: ignore[attr-defined]
    right = (ROOT / "solutions" / PART / DAG_FILE).read_text("utf-8")
    start = right.index("from airflow.sdk")
    assert_verdict("full_marks", grade(right[:start] + LEAVES.format(mark=mark) + right[start:]))
    assert not [p for p in psutil.process_iter() if mark in called(p)]


def called(process: psutil.Process) -> list[str]:
    """The arguments of a process."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_when_the_judge_is_killed_the_sandbox_ends(tmp_path: Path) -> None:
    """Whatever runs in it."""
    endless = hand_in(tmp_path / "submission", "import time\nwhile True: time.sleep(1)\n")
    code = (
        "import sys; from pathlib import Path; from grader.api import Grader\n"
        "from grader.observe.sandbox import LOCKS\n"
        "Grader(jobs=1, cache=False, home=Path(sys.argv[1]), lock=LOCKS['bwrap'])"
        ".grade(Path(sys.argv[2]), ['00'])\n"
    )
    home = tmp_path / "home"
    judge = psutil.Popen([sys.executable, "-c", code, str(home), str(endless)], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not list(home.glob("run/*/output-*.txt")) and time.monotonic() < deadline:
        time.sleep(0.1)
    below = judge.children(recursive=True)
    assert len(below) >= 4
    judge.kill()
    judge.wait()
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive


def test_a_sandbox_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert choose("none") == "none"
    with pytest.raises(NoSandbox, match="sudo apt install bubblewrap"):
        choose("bwrap")
    with pytest.raises(NoSandbox, match="say --sandbox none"):
        choose("auto")


def test_a_sandbox_that_does_not_start_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.bwrap_help.cache_clear()
    with pytest.raises(NoSandbox, match="No permissions to create new namespace"):
        choose("auto")
    sandbox.bwrap_help.cache_clear()


def test_only_what_is_shown_is_there(tmp_path: Path) -> None:
    """Nothing of the course but the worker's code, and no folder that was not given."""
    code = "import os; print(sorted(os.listdir('grader')), sorted(os.listdir('.')), os.getuid())"
    done = subprocess.run(
        bubblewrap([sys.executable, "-P", "-c", code], [tmp_path]),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rooms = "['__init__.py', 'scenario.py', 'transcript.py', 'worker']"
    assert done.stdout.strip() == f"{rooms} ['.venv', 'grader'] 65534"
