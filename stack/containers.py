"""The stack in containers: drives the real `docker compose` with the repository's own file.

It adds no setting of its own: what runs is what `docker-compose.yml` and `.env` say.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from stack import ROOT, StackProblem
from stack.ports import TCP, refuse_taken_ports
from stack.report import Line

OLDEST_COMPOSE = (2, 24)
MEMORY_GIB = 4.0
NATIVE = "or use make stack-native, which needs no Docker"
SHOWN_ONCE = "airflow-init"  # it does its work and ends


class ContainerStack:
    """The stack as containers."""

    def __init__(self, settings: Mapping[str, str] | None = None):
        self._environment = os.environ | dict(settings or {})

    def _compose(self, *words: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*compose_command(), *words],
            cwd=ROOT,
            env=self._environment,
            text=True,
            check=False,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.PIPE if quiet else None,
        )

    @property
    def available(self) -> bool:
        """Whether there is a Docker that answers."""
        return shutil.which("docker") is not None and engine() is not None

    def containers(self) -> list[dict[str, Any]]:
        """What compose says of each container, also of stopped ones."""
        if not self.available:
            return []
        told = self._compose("ps", "--all", "--format", "json", quiet=True)
        return [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]

    @property
    def running(self) -> bool:
        """Whether any of its containers runs."""
        return any(c["State"] in ("running", "restarting") for c in self.containers())

    def up(self) -> None:
        """Start everything and wait until it is healthy. Raises `StackProblem`."""
        refuse_unusable_docker()
        if not self.running:
            refuse_taken_ports(TCP)
        if self._compose("up", "--detach", "--wait").returncode:
            ill = [line for line in self.status() if not line.ok]
            told = ", ".join(f"{line.name} is {line.told}" for line in ill) or "see above"
            raise StackProblem(f"the stack is not up: {told}. Look with make stack-logs.")

    def down(self) -> None:
        """Stop everything; data stays."""
        self._must("down")

    def clean(self) -> None:
        """Stop everything and remove the volumes."""
        self._must("down", "--volumes")

    def _must(self, *words: str) -> None:
        if self._compose(*words).returncode:
            raise StackProblem(f"docker compose {' '.join(words)} failed; its lines above say why.")

    def stop_service(self, service: str) -> None:
        """Stop one service, to see what the others make of it."""
        self._must("stop", service)

    def start_service(self, service: str) -> None:
        """Start one service that was stopped."""
        self._must("start", service)

    def status(self) -> list[Line]:
        """One line per container."""
        return [status_line(c) for c in sorted(self.containers(), key=lambda c: str(c["Service"]))]

    def logs(self, service: str | None, follow: bool) -> int:
        """Print the output; the exit code of compose."""
        words = ["logs", "--tail", "100", *(["--follow"] if follow else [])]
        return self._compose(*words, *([service] if service else [])).returncode


def status_line(container: Mapping[str, Any]) -> Line:
    """A container's state in words."""
    name, state, health = container["Service"], container["State"], container.get("Health", "")
    if name == SHOWN_ONCE:
        done = state == "exited" and container["ExitCode"] == 0
        return Line(name, done or state == "running", "done" if done else str(container["Status"]))
    healthy = state == "running" and health == "healthy"
    ports = sorted({p["PublishedPort"] for p in container.get("Publishers") or []} - {0})
    addresses = " ".join(f"http://localhost:{port}" for port in ports if port in TCP)
    told = health or str(state) if state == "running" else str(container["Status"])
    return Line(name, healthy, told, addresses)


def compose_command() -> list[str]:
    """`docker compose`, or `docker-compose` as a program of its own; raises if too old."""
    for command in (["docker", "compose"], ["docker-compose"]):
        version = compose_version(command)
        if version and version >= OLDEST_COMPOSE:
            return command
    wanted = ".".join(map(str, OLDEST_COMPOSE))
    raise StackProblem(f"Docker Compose {wanted} or newer is needed; install it, {NATIVE}.")


def compose_version(command: list[str]) -> tuple[int, ...] | None:
    """The version of a compose command; None if it is not there."""
    try:
        told = subprocess.run(
            [*command, "version", "--short"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    numbers = told.stdout.strip().removeprefix("v").split("-")[0].split(".")
    if told.returncode or not all(number.isdigit() for number in numbers):
        return None
    return tuple(int(number) for number in numbers)


def engine() -> dict[str, Any] | None:
    """What the Docker engine says of itself; None if it does not answer."""
    told = subprocess.run(
        ["docker", "info", "--format", "{{json .}}"], capture_output=True, text=True, check=False
    )
    if told.returncode or not told.stdout.startswith("{"):
        return None
    info: dict[str, Any] = json.loads(told.stdout)
    return None if info.get("ServerErrors") else info


def refuse_unusable_docker() -> None:
    """Raises `StackProblem` if there is no Docker, it does not run, or it has too little memory."""
    if shutil.which("docker") is None:
        raise StackProblem(f"Docker is not installed: see docs.docker.com/get-docker, {NATIVE}.")
    info = engine()
    if info is None:
        raise StackProblem(f"Docker is installed but does not run: start it, {NATIVE}.")
    compose_command()
    gib = info.get("MemTotal", 0) / 2**30
    if gib < MEMORY_GIB:
        raise StackProblem(
            f"Docker has {gib:.1f} GiB of memory and the stack needs {MEMORY_GIB:.0f}: "
            f"give it more in Docker's settings, {NATIVE}."
        )
