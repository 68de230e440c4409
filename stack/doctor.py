"""`make doctor`: says what on this machine would keep the stack from running, and the fix.

It changes nothing and starts nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
from dotenv import dotenv_values

from stack import ROOT, StackProblem, containers
from stack.native import binaries
from stack.ports import TCP, UDP, taken
from stack.report import Line
from stack.settings import ENV_FILE

MEMORY_GIB = 4.0
DISK_GIB = 10.0
PYTHONS = ((3, 11), (3, 13))
SKEW_SECONDS = 5.0


@dataclass(frozen=True)
class Findings:
    """What was found out about the machine, and about each way of running the stack."""

    machine: list[Line]
    docker: list[Line]
    native: list[Line]

    @property
    def ways(self) -> list[str]:
        """The commands that would work."""
        if not all(line.ok for line in self.machine):
            return []
        ways = {"make stack": self.docker, "make stack-native": self.native}
        return [command for command, lines in ways.items() if all(line.ok for line in lines)]


def examine(*, running: bool) -> Findings:
    """Look at everything. While a stack runs, it is right that ports are taken."""
    info = containers.engine() if shutil.which("docker") else None
    machine = [python(), memory(), disk(), *ports(running), user(), clock(info)]
    return Findings(machine, docker(info), native())


def python() -> Line:
    """The version."""
    oldest, newest = PYTHONS
    told = ".".join(map(str, sys.version_info[:3]))
    fine = oldest <= sys.version_info[:2] <= newest
    return Line("Python", fine, told, "" if fine else "install 3.11, 3.12 or 3.13")


def docker(info: Mapping[str, Any] | None) -> list[Line]:
    """The engine and Compose."""
    if shutil.which("docker") is None:
        return [Line("Docker", False, "not installed", "docs.docker.com/get-docker")]
    if info is None:
        return [Line("Docker", False, "does not run", "start it")]
    lines = [Line("Docker", True, f"engine {info.get('ServerVersion', '?')}")]
    gib = info.get("MemTotal", 0) / 2**30
    fine = gib >= containers.MEMORY_GIB
    advice = "" if fine else f"give it {containers.MEMORY_GIB:.0f} GiB in its settings"
    lines.append(Line("Docker's memory", fine, f"{gib:.1f} GiB", advice))
    try:
        command = containers.compose_command()
    except StackProblem as problem:
        return [*lines, Line("Compose", False, "missing or too old", str(problem))]
    version = containers.compose_version(command) or ()
    return [*lines, Line("Compose", True, ".".join(map(str, version)))]


def memory() -> Line:
    """What is free now."""
    gib = psutil.virtual_memory().available / 2**30
    fine = gib >= MEMORY_GIB
    advice = "" if fine else f"close programs until {MEMORY_GIB:.0f} GiB are free"
    return Line("free memory", fine, f"{gib:.1f} GiB", advice)


def disk() -> Line:
    """What is free where the repository lies."""
    gib = shutil.disk_usage(ROOT).free / 2**30
    fine = gib >= DISK_GIB
    advice = "" if fine else f"make room until {DISK_GIB:.0f} GiB are free"
    return Line("free disk", fine, f"{gib:.0f} GiB", advice)


def ports(running: bool) -> list[Line]:
    """Each port of the stack, and who holds it."""
    if running:
        return [Line("ports", True, "held by the running stack")]
    held = {port: (use, who) for port, use, who in taken(TCP)}
    lines = []
    for port, use in (TCP | UDP).items():
        if port in held:
            lines.append(
                Line(f"port {port}", False, f"held by {held[port][1]}", f"stop it ({use})")
            )
        else:
            lines.append(Line(f"port {port}", True, f"free ({use})"))
    return lines


def user() -> Line:
    """Whether containers write their logs as this user."""
    known = dotenv_values(ENV_FILE).get("AIRFLOW_UID") if ENV_FILE.is_file() else None
    mine = os.getuid()
    fine = known is None or mine == 0 or known == str(mine)
    told = f"{mine}" if known is None else f"{mine}, AIRFLOW_UID in .env is {known}"
    return Line("user id", fine, told, "" if fine else f"set AIRFLOW_UID={mine} in .env")


def clock(info: Mapping[str, Any] | None) -> Line:
    """A clock that stood still while the machine slept makes tokens invalid and graphs empty.

    Docker's virtual machine has a clock of its own on macOS and Windows; without Docker, the clock
    can only be compared with the newest file of the repository.
    """
    now = dt.datetime.now(dt.UTC)
    if info and (told := str(info.get("SystemTime", ""))):
        docker_time = dt.datetime.fromisoformat(told[:26].rstrip("Z") + "+00:00")
        if "Z" not in told:
            docker_time = dt.datetime.fromisoformat(told[:26] + told[-6:])
        skew = abs((now - docker_time).total_seconds())
        fine = skew < SKEW_SECONDS
        advice = "" if fine else "restart Docker, which sets its clock"
        return Line("clock", fine, f"{skew:.0f} s from Docker's", advice)
    newest = max(path.stat().st_mtime for path in ROOT.iterdir())
    fine = now.timestamp() >= newest - SKEW_SECONDS
    advice = "" if fine else "set the clock: files here are from the future"
    return Line("clock", fine, now.strftime("%Y-%m-%d %H:%M:%S UTC"), advice)


def native() -> list[Line]:
    """The programs that the native stack needs."""
    lines = []
    for binary in binaries.BINARIES:
        found = binaries.find(binary.name)
        if found or binary.needed:
            told, advice = (
                (str(found), "") if found else ("missing", f"for stack-native: {binary.how}")
            )
            lines.append(Line(binary.name, found is not None, told, advice))
    return lines
