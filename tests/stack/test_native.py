"""The native stack reads the files that the containers read, and refuses what cannot work."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stack import ROOT, STACK, StackProblem, ports, settings
from stack.native import binaries
from stack.native.config import COPIED, HOSTS, copy_configuration
from stack.native.programs import programs

SETTINGS = {name: make() for name, make in settings.DEFAULTS.items()}


def test_copies_differ_by_host_names_only(tmp_path: Path) -> None:
    copy_configuration(tmp_path)
    for folder in COPIED:
        originals = [p for p in (STACK / folder).rglob("*") if p.is_file()]
        assert originals
        for original in originals:
            copy = (tmp_path / original.relative_to(STACK)).read_text("utf-8").splitlines()
            text = original.read_text("utf-8").splitlines()
            assert len(copy) == len(text)
            for ours, theirs in zip(copy, text, strict=True):
                if ours != theirs:
                    names = "|".join(HOSTS)
                    assert re.sub(rf"\b({names}):(?=\d)", "127.0.0.1:", theirs) == ours
            assert not any(f"{host}:" in line for line in copy for host in HOSTS)


def test_mapping_and_settings_are_the_very_files(tmp_path: Path) -> None:
    started = {p.name: p for p in programs(tmp_path, SETTINGS, None)}
    mapping = f"--statsd.mapping-config={STACK / 'statsd' / 'mapping.yml'}"
    assert mapping in started["statsd-exporter"].command
    shared = settings.airflow_settings()
    assert shared["AIRFLOW__METRICS__LEGACY_NAMES_ON"] == "False"
    differs = {"AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"}
    for name in ("airflow-apiserver", "airflow-scheduler", "airflow-triggerer"):
        environment = started[name].environment
        assert {k: v for k, v in environment.items() if shared.get(k, v) != v}.keys() == differs


def test_a_database_can_be_given(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://airflow:p%40ss@127.0.0.1/airflow"
    (init,) = [p for p in programs(tmp_path, SETTINGS, url) if p.name == "airflow-init"]
    assert init.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == url


def test_each_program_waits_for_programs_that_exist(tmp_path: Path) -> None:
    known: set[str] = set()
    for program in programs(tmp_path, SETTINGS, None):
        assert known.issuperset(program.after), f"{program.name} would wait for ever"
        known.add(program.name)
        assert program.once or program.healthy


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stack", *words],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def one_line(told: subprocess.CompletedProcess[str]) -> str:
    assert told.returncode == 3
    assert told.stdout == ""
    assert told.stderr.count("\n") == 1
    return told.stderr


def test_missing_programs_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    told = run("up", "--native", STACK_HOME=str(tmp_path), STACK_BIN=str(tmp_path), PATH="/nowhere")
    line = one_line(told)
    for word in ("statsd_exporter", "prometheus", "alertmanager", "make stack-binaries", "apt"):
        assert word in line


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    for name in ("statsd_exporter", "prometheus", "alertmanager"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    free = next((port for port in ports.TCP if ports.is_free(port)), None)
    if free is None:
        pytest.skip("a stack runs on this machine")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", free))
        taken.listen()
        told = run("up", "--native", STACK_HOME=str(tmp_path / "home"), STACK_BIN=str(tmp_path))
    line = one_line(told)
    assert f"{free} ({ports.TCP[free]}) is held by" in line
    assert f"(process {os.getpid()})" in line


def test_a_folder_too_deep_for_a_socket_is_one_line(tmp_path: Path) -> None:
    told = run("status", STACK_HOME=str(tmp_path / ("deep" * 30)))
    assert "too long for a socket" in one_line(told)


def test_there_is_nothing_to_say_of_no_stack(tmp_path: Path) -> None:
    told = run("status", STACK_HOME=str(tmp_path), PATH="/nowhere")
    assert told.returncode == 1
    assert "make stack-native" in told.stderr
    assert run("down", STACK_HOME=str(tmp_path), PATH="/nowhere").stdout == "No stack is running.\n"


def test_a_free_port_is_free_and_a_taken_one_is_not() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert not ports.is_free(port, socket.SOCK_DGRAM)
    assert ports.is_free(port, socket.SOCK_DGRAM)


def test_versions_are_those_of_go_mod() -> None:
    assert re.fullmatch(r"3\.\d+\.\d+", binaries.version(binaries.PROMETHEUS))
    assert re.fullmatch(r"0\.\d+\.\d+", binaries.version(binaries.EXPORTER))


def test_building_without_go_says_where_to_get_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STACK_BIN", str(tmp_path / "bin"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackProblem, match=r"go\.dev/dl"):
        binaries.build()
