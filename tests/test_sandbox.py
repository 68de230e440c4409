"""What only a sandbox stops: a trick works without one, and in bubblewrap it does not.

Grades the files of `tests/submissions/outside/` with the real engine, both ways. Skipped where
bubblewrap does not work, unless `SANDBOX=bwrap` says that it has to.
"""

# Fixtures are imported, and named again where they are used.
# ruff: noqa: F401, F811

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hostile_case import course_with
from sandbox_case import (
    TRICKS,
    Grade,
    assert_nothing_is_left,
    assert_stopped,
    assert_works,
    grade,
    hand_in,
    server,
    victim,
)

from grader.api import Grader
from grader.course import ROOT
from grader.observe import sandbox
from grader.observe.sandbox import LOCKS, NoSandbox, bubblewrap, choose, missing

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


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_works_only_without_a_sandbox(
    name: str, grader: Grader, grade: Grade, victim: psutil.Popen
) -> None:
    if grader.kind == "bwrap":  # type: ignore[attr-defined]
        assert_stopped(name, grade, victim)
    else:
        assert_works(name, grade)


def test_nothing_is_left_running(grader: Grader, grade: Grade) -> None:
    assert_nothing_is_left(f"heron-{os.getpid()}-{grader.kind}", grade)  # type: ignore[attr-defined]


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
