"""The stack's life: what dies comes back or is named, what is stopped is gone, history stays."""

from __future__ import annotations

import signal
import time

import psutil
import pytest
from clients import eventually
from conftest import Played, Stack, command

from stack.ports import TCP, taken

LASTING = (
    "statsd-exporter",
    "mailpit",
    "alertmanager",
    "prometheus",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
)


def test_status_says_that_all_is_well(stack: Stack) -> None:
    told = command("status")
    assert told.returncode == 0, told.stdout
    assert told.stdout.count("healthy") == len(LASTING)


def test_nothing_listens_beyond_this_machine(stack: Stack) -> None:
    ours = {process.pid for process in stack.supervisor.processes()}
    listening = [
        c
        for c in psutil.net_connections("inet")
        if c.pid in ours and (c.status == psutil.CONN_LISTEN or not c.raddr) and c.laddr
    ]
    assert {c.laddr.port for c in listening} >= set(TCP) - {3000}
    beyond = [
        c for c in listening if c.laddr.ip not in ("127.0.0.1", "::1") and c.laddr.port < 30000
    ]
    assert beyond == []


@pytest.mark.parametrize("name", LASTING)
def test_a_killed_process_comes_back(name: str, stack: Stack) -> None:
    before = stack.supervisor.states()[name].pid
    psutil.Process(before).send_signal(signal.SIGKILL)
    eventually(
        lambda: stack.supervisor.states()[name],
        lambda state: state.state == "RUNNING" and state.pid != before,
        seconds=30,
    )
    eventually(lambda: command("status"), lambda told: told.returncode == 0, seconds=90)


def test_a_second_stack_is_refused(stack: Stack) -> None:
    told = command("up", "--native")
    assert told.returncode == 3
    assert "already running" in told.stderr
    assert told.stderr.count("\n") == 1


def test_history_outlives_a_stop(stack: Stack, played: Played) -> None:
    runs = stack.airflow.get("/dags/short_success/dagRuns")["total_entries"]
    stopped = time.time()
    told = command("down")
    assert told.returncode == 0, told.stderr
    assert stack.supervisor.processes() == []
    assert taken(TCP) == []
    assert command("status").returncode == 1
    assert command("up", "--native").returncode == 0
    assert stack.airflow.get("/dags/short_success/dagRuns")["total_entries"] == runs
    history = f"last_over_time(airflow_dagrun_duration_seconds_count[1h] @ {stopped:.0f})"
    assert stack.prometheus.query(history)


def test_without_its_supervisor_it_is_named_and_can_be_stopped(stack: Stack) -> None:
    pid = int((stack.supervisor.home / "supervisord.pid").read_text())
    psutil.Process(pid).send_signal(signal.SIGKILL)
    eventually(lambda: not stack.supervisor.running)
    told = command("status")
    assert told.returncode == 1
    assert "supervisor" in told.stdout and "not running" in told.stdout
    assert command("down").returncode == 0
    assert stack.supervisor.processes() == []
    assert taken(TCP) == []
    assert command("up", "--native").returncode == 0
