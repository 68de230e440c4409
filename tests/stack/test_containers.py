"""What a person reads when Docker is missing, asleep, too small or too old.

The `docker` of these tests is a small program that answers as the real one was seen to.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
from pathlib import Path

import pytest

from stack import StackProblem, containers, doctor
from stack.report import Line

INFO = {"ServerVersion": "28.2.2", "MemTotal": 8 * 2**30, "SystemTime": "2026-11-23T09:00:00.123Z"}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a `docker` on the PATH that knows two commands."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def put(info: dict | None = None, compose: str = "5.6.1") -> None:
        program = tmp_path / "docker"
        answer = f"echo '{json.dumps(info)}'" if info else "echo 'Cannot connect' >&2; exit 1"
        program.write_text(
            f'#!/bin/sh\ncase "$1 $2" in\n"info --format") {answer};;\n'
            f'"compose version") echo {compose};;\nesac\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    return put


def problem() -> str:
    with pytest.raises(StackProblem) as caught:
        containers.refuse_unusable_docker()
    assert "\n" not in str(caught.value)
    assert "make stack-native" in str(caught.value)
    return str(caught.value)


def test_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Docker is not installed" in problem()
    assert not containers.ContainerStack().running


def test_docker_does_not_run(docker) -> None:
    docker(None)
    assert "does not run: start it" in problem()


def test_docker_has_too_little_memory(docker) -> None:
    docker(INFO | {"MemTotal": 2 * 2**30})
    assert "Docker has 2.0 GiB of memory and the stack needs 4" in problem()


def test_compose_is_too_old(docker) -> None:
    docker(INFO, compose="1.29.2")
    assert "Docker Compose 2.24 or newer is needed" in problem()


def test_docker_is_fine(docker) -> None:
    docker(INFO)
    containers.refuse_unusable_docker()


@pytest.mark.parametrize("seconds", [0, 90])
@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_the_doctor_compares_the_clocks(seconds: int, zone: str) -> None:
    then = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    told = then.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123" + zone
    line = doctor.clock({"SystemTime": told})
    assert line.ok == (seconds == 0)


def test_the_state_of_a_container_in_words() -> None:
    healthy = {"Service": "prometheus", "State": "running", "Health": "healthy", "Publishers": []}
    assert containers.status_line(healthy).ok
    assert not containers.status_line(healthy | {"Health": "starting"}).ok
    gone = healthy | {"State": "exited", "Health": "", "Status": "Exited (1)", "ExitCode": 1}
    assert containers.status_line(gone).told == "Exited (1)"
    init = {"Service": "airflow-init", "State": "exited", "ExitCode": 0, "Status": "Exited (0)"}
    assert containers.status_line(init).ok
    assert not containers.status_line(init | {"ExitCode": 1}).ok


def test_the_doctor_names_the_ways_that_would_work() -> None:
    fine, bad = [Line("x", True, "")], [Line("y", False, "")]
    assert doctor.Findings(fine, fine, fine).ways == ["make stack", "make stack-native"]
    assert doctor.Findings(fine, bad, fine).ways == ["make stack-native"]
    assert doctor.Findings(fine, fine, bad).ways == ["make stack"]
    assert doctor.Findings(bad, fine, fine).ways == []


def test_the_doctor_looks_at_everything(docker) -> None:
    docker(None)
    found = doctor.examine(running=False)
    names = {line.name for line in found.machine}
    assert names >= {"Python", "free memory", "free disk", "port 8080", "port 9125", "clock"}
    (line,) = found.docker
    assert (line.ok, line.told, line.advice) == (False, "does not run", "start it")
    docker(INFO)
    assert [line.name for line in doctor.examine(running=True).docker] == [
        "Docker",
        "Docker's memory",
        "Compose",
    ]
