"""What the worker, and with it learner code, is locked into: nothing, or a sandbox without network,
with a file system that is read-only and holds no checks, no solutions and no other submission.

It must not start anything itself: it says which command line does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from grader.course import ROOT

Kind = Literal["none", "bwrap", "docker"]
Lock = Callable[[list[str], list[Path]], list[str]]

# The system, as far as Python needs it. What is not there is left out.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("alternatives", "group", "hosts", "ld.so.cache", "localtime", "nsswitch.conf", "passwd")
# The rooms whose code runs in the worker.
ROOMS = ("__init__.py", "scenario.py", "transcript.py", "worker")
NOBODY = "65534"
IN_MEMORY = str(64 << 20)  # bytes in a folder that is no file system's
# An image with nothing in it: what a container shows of the system is this machine's.
IMAGE = "airflow-by-doing/nothing:1"
MOST_PROCESSES = 1000
EMPTY_TAR = bytes(10_240)


def no_sandbox(command: list[str], writable: list[Path]) -> list[str]:
    """As the user who grades, on the whole machine."""
    return command


def bubblewrap(command: list[str], writable: list[Path]) -> list[str]:
    """In namespaces of its own, as nobody; only the folders in `writable` can be written to."""
    arguments = [
        "bwrap",
        *("--unshare-all", "--unshare-user"),
        "--die-with-parent",
        *("--uid", NOBODY, "--gid", NOBODY),
        *("--cap-drop", "ALL"),
        *(["--disable-userns"] if "--disable-userns" in bwrap_help() else []),
    ]
    for place in SYSTEM:
        arguments += ["--ro-bind-try", place, place]
    for name in SETTINGS:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm"):
        arguments += [
            *(["--size", IN_MEMORY] if "--size" in bwrap_help() else []),
            "--tmpfs",
            place,
        ]
    arguments += ["--tmpfs", str(ROOT)]
    arguments += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    for source, target in visible():
        arguments += ["--ro-bind", str(source), str(target)]
    for folder in writable:
        arguments += ["--bind", str(folder), str(folder)]
    for place in (str(ROOT), "/dev", "/"):
        arguments += ["--remount-ro", place]
    return [*arguments, "--chdir", str(ROOT), "--", *command]


def docker(command: list[str], writable: list[Path]) -> list[str]:
    """In a container without network and without any capability, as the user who grades; only the
    folders in `writable` can be written to. The container shows what bubblewrap would.
    """
    options = [
        *("--network", "none", "--hostname", "sandbox", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
        *("--user", f"{os.getuid()}:{os.getgid()}", "--pids-limit", str(MOST_PROCESSES)),
        *("--shm-size", IN_MEMORY, "--tmpfs", f"/tmp:mode=1777,size={IN_MEMORY}"),
        *("--tmpfs", f"{ROOT}:mode=0755,size={IN_MEMORY},ro", "--workdir", str(ROOT)),
    ]
    settings = [f"/etc/{name}" for name in SETTINGS if name != "hosts"]
    system = [(Path(place), Path(place)) for place in (*SYSTEM, *settings) if os.path.exists(place)]
    base = Path(sys.base_prefix)
    for source, target in [*system, (base, base), *visible()]:
        options += ["--mount", f"type=bind,source={source.resolve()},target={target},readonly"]
    for folder in writable:
        options += ["--mount", f"type=bind,source={folder},target={folder}"]
    start = [sys.executable, "-P", "-m", "grader.observe.docker", str(writable[0])]
    return [*start, *docker_client(), "run", "--rm", *options, "--", IMAGE, *command]


def docker_client() -> list[str]:
    """The docker command, led to the engine that this environment names."""
    options = {"--host": "DOCKER_HOST", "--config": "DOCKER_CONFIG", "--context": "DOCKER_CONTEXT"}
    named = [(option, os.environ[name]) for option, name in options.items() if name in os.environ]
    return ["docker", *(word for pair in named for word in pair)]


def visible() -> Iterable[tuple[Path, Path]]:
    """What of this installation is shown, and where: the Python packages and the worker's code."""
    yield Path(sys.prefix).resolve(), Path(sys.prefix)
    for room in ROOMS:
        yield ROOT / "grader" / room, ROOT / "grader" / room


LOCKS: dict[Kind, Lock] = {"none": no_sandbox, "bwrap": bubblewrap, "docker": docker}


def missing(kind: Kind) -> str | None:
    """Why this kind of sandbox does not work on this machine, in a sentence; None if it does."""
    return {"none": lambda: None, "bwrap": missing_bubblewrap, "docker": missing_docker}[kind]()


def missing_bubblewrap() -> str | None:
    """Why bubblewrap does not work, in a sentence; None if it does."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt install bubblewrap)"
    code = "import json, pydantic"
    done = subprocess.run(
        bubblewrap([sys.executable, "-P", "-c", code], []),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    words = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return f"bubblewrap does not work on this machine: {words}"


def missing_docker() -> str | None:
    """Why Docker does not work, in a sentence; None if it does. Makes the image."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if sys.platform != "linux":
        return "Docker locks learner code in on Linux only"
    steps = [
        ([*docker_client(), "version"], b""),
        ([*docker_client(), "import", "-", IMAGE], EMPTY_TAR),
    ]
    for step, given in steps:
        done = subprocess.run(step, input=given, capture_output=True, check=False)
        if done.returncode != 0:
            words = done.stderr.decode("utf-8", "replace").strip().splitlines()
            return f"Docker does not work on this machine: {(words or ['it said nothing'])[-1]}"
    return None


class NoSandbox(Exception):
    """No sandbox, or not the one that was asked for."""


def choose(wanted: Kind | Literal["auto"]) -> Kind:
    """The kind that is asked for, or the best that works. Raises `NoSandbox` with a sentence."""
    kinds: tuple[Kind, ...] = ("bwrap", "docker") if wanted == "auto" else (wanted,)
    problems = []
    for kind in kinds:
        problem = missing(kind)
        if problem is None:
            return kind
        problems.append(problem)
    if wanted == "auto":
        advice = "to run strangers' code without a sandbox all the same, say --sandbox none"
        problems.append(advice)
    raise NoSandbox(f"{'; '.join(problems)}.")


@cache
def bwrap_help() -> str:
    """The options that the installed version knows."""
    done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
