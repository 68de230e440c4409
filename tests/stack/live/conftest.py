"""A native stack of its own, started with the command that a learner types, for all live tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # what the static tests share

import nights as all_nights
from clients import Airflow, Inbox, Prometheus, eventually
from dotenv import dotenv_values

from stack import ROOT
from stack.native.supervisor import Supervisor

HOME = ROOT / ".work" / "stack-test"
# Tasks of the course write below the temporary folder; nothing of an older stack may lie there.
TEMPORARY = HOME / "tmp"
DAGS = "tests/stack/dags"
SCRAPES = 35  # seconds in which Prometheus has scraped twice and evaluated its rules


@dataclass
class Stack:
    """The running stack and its clients."""

    supervisor: Supervisor
    airflow: Airflow
    prometheus: Prometheus
    inbox: Inbox

    def stop(self, service: str) -> None:
        """Stop a service as a learner would."""
        assert command("stop-service", service).returncode == 0

    def start(self, *services: str) -> None:
        """Start them again and wait until all is well."""
        for service in services:
            assert command("start-service", service).returncode == 0
        eventually(lambda: command("status"), lambda told: told.returncode == 0, seconds=90)


def command(*words: str, dags: str = DAGS) -> subprocess.CompletedProcess[str]:
    """Run the stack's command line on this stack's folder."""
    TEMPORARY.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "stack", *words],
        cwd=ROOT,
        env=os.environ
        | {"STACK_HOME": str(HOME), "TMPDIR": str(TEMPORARY), "DAGS": dags, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Up, healthy, and taken down afterwards with nothing left."""
    command("clean", "--yes")
    started = time.monotonic()
    done = command("up", "--native")
    if done.returncode:
        pytest.exit(f"the stack does not start: {done.stdout}{done.stderr}", returncode=3)
    print(f"\nthe native stack is healthy after {time.monotonic() - started:.0f} s")
    settings = dotenv_values(ROOT / ".env")
    airflow = Airflow(str(settings["AIRFLOW_USER"]), str(settings["AIRFLOW_PASSWORD"]))
    yield Stack(Supervisor(HOME), airflow, Prometheus(), Inbox())
    command("clean", "--yes")


@pytest.fixture(scope="session")
def solved(stack: Stack) -> Stack:
    """The stack anew, with the course's solutions as its DAGs. For what comes last."""
    # A new database: one of the sample DAGs has the id of a solution.
    assert command("clean", "--yes").returncode == 0
    assert command("up", "--native", dags="solutions").returncode == 0
    settings = dotenv_values(ROOT / ".env")
    stack.airflow = Airflow(str(settings["AIRFLOW_USER"]), str(settings["AIRFLOW_PASSWORD"]))
    return stack


@pytest.fixture(scope="session")
def nights(solved: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[all_nights.Nights]:
    """The solutions, running."""
    with all_nights.open_shops(tmp_path_factory.mktemp("shops") / "data") as shops:
        yield all_nights.begin(solved.airflow, shops)


@dataclass
class Played:
    """Runs that were made on purpose: DAG id to its run and its tasks' states."""

    runs: dict[str, dict[str, Any]]
    tasks: dict[str, dict[str, str]]


TRIGGERED = (
    "short_success",
    "fails_for_good",
    "takes_a_branch",
    "waits_for_it",
    "is_late",
    "data_quality_pipeline",
)
AUTOMATIC = ("every_minute", "wakes_up")


@pytest.fixture(scope="session")
def played(stack: Stack) -> Played:
    """One run of each sample DAG, told to Prometheus."""
    airflow = stack.airflow
    eventually(airflow.dag_ids, lambda ids: ids >= {*TRIGGERED, *AUTOMATIC})
    for dag_id in AUTOMATIC:
        airflow.pause(dag_id, False)
    ids = {dag_id: airflow.trigger(dag_id) for dag_id in TRIGGERED}
    runs = {dag_id: airflow.wait(dag_id, run_id) for dag_id, run_id in ids.items()}
    tasks = {dag_id: airflow.task_states(dag_id, run_id) for dag_id, run_id in ids.items()}
    eventually(
        lambda: stack.prometheus.query("airflow_dagrun_schedule_delay_seconds_count"), seconds=90
    )
    time.sleep(SCRAPES)
    return Played(runs, tasks)


def pytest_configure(config: pytest.Config) -> None:
    """Starting a stack takes longer than a test may."""
    config.option.timeout = config.option.timeout or 900
