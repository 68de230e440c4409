"""What the worker, and with it learner code, is locked into: nothing, or a sandbox without network,
with a file system that is read-only and holds no checks, no solutions and no other submission.

It must not start anything itself: it says which command line does.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from grader.course import ROOT

Kind = Literal["none", "bwrap"]
Lock = Callable[[list[str], list[Path]], list[str]]

# The system, as far as Python needs it. What is not there is left out.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("alternatives", "group", "hosts", "ld.so.cache", "localtime", "nsswitch.conf", "passwd")
# The rooms whose code runs in the worker.
ROOMS = ("__init__.py", "scenario.py", "transcript.py", "worker")
NOBODY = "65534"
IN_MEMORY = str(64 << 20)  # bytes in a folder that is no file system's


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


def visible() -> Iterable[tuple[Path, Path]]:
    """What of this installation is shown, and where: the Python packages and the worker's code."""
    yield Path(sys.prefix).resolve(), Path(sys.prefix)
    for room in ROOMS:
        yield ROOT / "grader" / room, ROOT / "grader" / room


LOCKS: dict[Kind, Lock] = {"none": no_sandbox, "bwrap": bubblewrap}


def missing(kind: Kind) -> str | None:
    """Why this kind of sandbox does not work on this machine, in a sentence; None if it does."""
    if kind == "none":
        return None
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


class NoSandbox(Exception):
    """No sandbox, or not the one that was asked for."""


def choose(wanted: Kind | Literal["auto"]) -> Kind:
    """The kind that is asked for, or the best that works. Raises `NoSandbox` with a sentence."""
    kind: Kind = "bwrap" if wanted == "auto" else wanted
    problem = missing(kind)
    if problem is None:
        return kind
    if wanted == "auto":
        problem += "; to run strangers' code without a sandbox all the same, say --sandbox none"
    raise NoSandbox(f"{problem}.")


@cache
def bwrap_help() -> str:
    """The options that the installed version knows."""
    done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
