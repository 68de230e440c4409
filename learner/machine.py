"""What a machine has to have before Airflow can be loaded on it, looked at step by step.

It must not start Airflow, and it changes nothing but one file in `.work`, which it removes.
"""

from __future__ import annotations

import http.client
import importlib.metadata
import platform
import shutil
import smtplib
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psutil
from packaging.requirements import Requirement
from packaging.version import Version

from grader.api import HOME
from grader.course import ROOT
from grader.observe.servers import Servers
from grader.scenario import Scenario, Server
from grader.worker.sockets import HOST, open_sockets

PYTHONS = ((3, 11), (3, 13))
DISK_GIB = 1.0
MEMORY_GIB = 1.5
SKEW_SECONDS = 5.0
LOCK = ROOT / "requirements.lock"
REINSTALL = "remove the folder .venv, then run this again, which installs it anew"
SERVERS = Scenario(name="local servers", servers=("statsd", "http", "smtp"))


class Found(NamedTuple):
    """Whether a step is fine, what was found, and else what to do."""

    ok: bool
    told: str
    advice: str = ""


def python() -> Found:
    """The version."""
    oldest, newest = PYTHONS
    fine = oldest <= sys.version_info[:2] <= newest
    return Found(fine, platform.python_version(), "" if fine else "install 3.11, 3.12 or 3.13")


def packages(lock: Path = LOCK) -> Found:
    """Whether what the lock names is installed, in these versions."""
    wanted = list(locked(lock))
    wrong = [told for name, version in wanted if (told := other_version(name, version))]
    if not wrong:
        return Found(True, f"all {len(wanted)} of requirements.lock")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return Found(False, f"{', '.join(wrong[:3])}{more}", REINSTALL)


def locked(lock: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each package that the lock wants on this machine. Raises `OSError`."""
    for line in lock.read_text("utf-8").splitlines():
        if line[:1].isalnum():
            wanted = Requirement(line.rstrip("\\ "))
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted.name, str(wanted.specifier).removeprefix("==")


def other_version(name: str, version: str) -> str:
    """What is wrong with an installed package; empty if it is the one that is wanted."""
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is missing"
    same = Version(found) == Version(version)
    return "" if same else f"{name} is {found}, not {version}"


def clock() -> Found:
    """Files from the future are a sign of a clock that stood still while the machine slept."""
    now = datetime.now().astimezone()
    newest = max(path.stat().st_mtime for path in ROOT.iterdir())
    fine = now.timestamp() >= newest - SKEW_SECONDS
    advice = "" if fine else "set the clock: files here are from the future"
    return Found(fine, f"{now:%Y-%m-%d %H:%M:%S %Z}", advice)


def disk() -> Found:
    """What is free where the course lies."""
    gib = shutil.disk_usage(HOME if HOME.is_dir() else ROOT).free / 2**30
    fine = gib >= DISK_GIB
    return Found(
        fine, f"{gib:.1f} GiB", "" if fine else f"make room until {DISK_GIB:g} GiB are free"
    )


def memory() -> Found:
    """What is free now."""
    gib = psutil.virtual_memory().available / 2**30
    fine = gib >= MEMORY_GIB
    advice = "" if fine else f"close programs until {MEMORY_GIB:g} GiB are free"
    return Found(fine, f"{gib:.1f} GiB", advice)


def work_folder() -> Found:
    """Whether the grader can write where it writes everything."""
    try:
        HOME.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=HOME) as file:
            file.write(bytes(1 << 20))
            file.flush()
    except OSError as error:
        advice = f"make room there, or let your user write into {HOME}"
        return Found(False, f"cannot be written to: {error.strerror}", advice)
    return Found(True, "can be written to")


def local_servers() -> Found:
    """Whether programs on this machine can talk to each other, as tasks and the grader do."""
    sockets = open_sockets(SERVERS)
    ports = {kind: opened.getsockname()[1] for kind, opened in sockets.items()}
    servers = Servers(SERVERS, sockets)
    tries: dict[Server, Callable[[int], None]] = {"statsd": count, "http": ask, "smtp": write}
    silent = [kind.upper() for kind, call in tries.items() if not reached(call, ports[kind])]
    got = servers.stop()
    if not silent and not got["metrics"]:
        silent = ["STATSD"]
    if silent:
        advice = f"let Python talk to {HOST}: a firewall or a security program forbids it"
        return Found(False, f"no answer from {', '.join(silent)} on {HOST}", advice)
    return Found(True, f"StatsD, HTTP and SMTP answer on {HOST}")


def reached(call: Callable[[int], None], port: int) -> bool:
    """Whether a call comes through."""
    try:
        call(port)
    except (OSError, http.client.HTTPException):  # an SMTPException is an OSError
        return False
    return True


def count(port: int) -> None:
    """Send a metric."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"canary:1|c", (HOST, port))


def ask(port: int) -> None:
    """Ask for a page; that there is none is an answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    connection.request("GET", "/canary")
    connection.getresponse().read()
    connection.close()


def write(port: int) -> None:
    """Send a mail. Its own name is given, since looking that up can take long without a network."""
    with smtplib.SMTP(HOST, port, local_hostname="localhost", timeout=5) as client:
        client.sendmail("canary@example.com", ["you@example.com"], "Subject: song\n\nsings\n")
