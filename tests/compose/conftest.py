"""The compose file, run: in an engine of our own with stand-in images, or in one that runs already.

It starts the stack with the command that a learner types, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import ROOT, settings

sys.path.append(str(ROOT / "tests" / "stack" / "live"))  # its clients

from clients import Airflow, Inbox, Prometheus
from dotenv import dotenv_values
from private_engine import PrivateEngine, compose, install_missing, running_engine
from stand_ins import Impossible, Maker, last_line

COMPOSE_FILE = ROOT / "docker-compose.yml"
WITHOUT_GRAFANA = Path(__file__).with_name("without_grafana.yml")
PROJECT = "airflow-by-doing-test"
DAGS = "tests/stack/dags"
ENVIRONMENT = 3  # exit code
Tell = Callable[[str], object]


@dataclass
class Engine:
    """Where the stack runs, and how its commands reach it."""

    environment: dict[str, str]
    private: bool


@dataclass
class Stack:
    """The stack in containers."""

    engine: Engine
    healthy_after: float = 0

    def command(self, *words: str, dags: str = DAGS) -> subprocess.CompletedProcess[str]:
        """`python -m stack ...`, as make calls it."""
        return self._run([sys.executable, "-m", "stack", *words], dags)

    def compose(self, *words: str) -> str:
        """A compose command, for what the stack's own commands do not tell."""
        done = self._run([compose(), *words], DAGS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def docker(self, *words: str) -> str:
        """A docker command."""
        done = self._run(["docker", *words], DAGS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, command: list[str], dags: str) -> subprocess.CompletedProcess[str]:
        environment = self.engine.environment | {"DAGS": dags}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service to what compose says of its container."""
        told = self.compose("ps", "--all", "--format", "json")
        rows = [json.loads(line) for line in told.splitlines()]
        return {row["Service"]: row for row in rows}

    def up(self, dags: str = DAGS) -> None:
        """Start it; fails with the output of what is not healthy."""
        started = time.monotonic()
        done = self.command("up", dags=dags)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.ill()}"
        self.healthy_after = time.monotonic() - started

    def ill(self) -> str:
        """The newest output of the services that are not healthy, and what their checks said."""
        told = ""
        for name, container in sorted(self.containers().items()):
            if container["Health"] != "healthy" and container["State"] != "exited":
                told += f"== {name}: {container['Status']}\n{self.last_check(container['ID'])}\n"
                told += self.compose("logs", "--no-log-prefix", "--tail", "40", name)
            elif container["ExitCode"]:
                told += f"== {name}: {container['Status']}\n"
                told += self.compose("logs", "--no-log-prefix", "--tail", "40", name)
        return told

    def last_check(self, container: str) -> str:
        """What a container's last health check printed."""
        told = self.docker("inspect", "--format", "{{json .State.Health}}", container)
        log = (json.loads(told) or {}).get("Log") or [{}]
        return str(log[-1].get("Output", ""))

    @property
    def airflow(self) -> Airflow:
        """The REST API, newly logged in."""
        known = dotenv_values(ROOT / ".env")
        return Airflow(str(known["AIRFLOW_USER"]), str(known["AIRFLOW_PASSWORD"]))

    @property
    def prometheus(self) -> Prometheus:
        return Prometheus()

    @property
    def inbox(self) -> Inbox:
        return Inbox()


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Tell:
    """Says what takes long, past the capturing of output."""
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(line, flush=True)

    return say


@pytest.fixture(scope="session")
def engine(tell: Tell) -> Iterator[Engine]:
    """An engine with the images of the compose file, or exit 3 with one line that says why not."""
    with contextlib.ExitStack() as cleanup:
        own = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "STACK_HOME": cleanup.enter_context(tempfile.TemporaryDirectory()),
            "COLUMNS": "200",
        }
        if (version := running_engine()) and official_images(tell):
            tell(f"Docker {version} runs: it is used, with the official images.")
            yield Engine(os.environ | own, private=False)
            return
        try:
            private = PrivateEngine()
            cleanup.callback(private.stop)
            install_missing(tell)
            maker = Maker(tell)
            private.start()
            tell("Loading the stand-in images. Grafana is left out: it cannot be had here.")
            maker.make(images(), private.docker)
        except Impossible as reason:
            cleanup.close()
            pytest.exit(f"the compose file cannot be run here: {reason}.", returncode=ENVIRONMENT)
        own["COMPOSE_FILE"] = f"{COMPOSE_FILE}:{WITHOUT_GRAFANA}"
        yield Engine(private.environment | own, private=True)


def official_images(tell: Tell) -> bool:
    """Whether the engine that runs has them, or can get them."""
    settings.load()
    pull = [compose(), "--progress", "quiet", "pull", "--policy", "missing"]
    done = subprocess.run(pull, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        tell(f"Docker runs, but cannot get the images: {last_line(done.stderr)}")
    return done.returncode == 0


def images() -> list[str]:
    """What the compose file names, without Grafana."""
    services = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
    return sorted({s["image"] for name, s in services.items() if name != "grafana"})


@pytest.fixture(scope="session")
def stack(engine: Engine, tell: Tell) -> Iterator[Stack]:
    """Up and healthy, and removed afterwards."""
    stack = Stack(engine)
    stack.command("clean", "--yes")
    try:
        stack.up()
        tell(f"The stack is healthy after {stack.healthy_after:.0f} s.")
        yield stack
    finally:
        stack.command("clean", "--yes")


def pytest_configure(config: pytest.Config) -> None:
    """Images and a start take longer than a test may."""
    config.option.timeout = config.option.timeout or 1200
