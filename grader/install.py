"""`python3 -m grader.install`: makes `.venv` and installs `requirements.lock` when it changed.

Standard library only, and it must run on whatever `python3` a machine has, to say what is missing.
Nothing is written outside the repository.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "installed-lock")
OLDEST, NEWEST = (3, 11), (3, 13)
ENVIRONMENT = 3


def main() -> None:
    """Install unless the stamp says that this lock is installed."""
    if os.name == "nt":
        stop("this course runs on Linux, macOS and WSL2; on Windows, open a WSL2 terminal.")
    wanted = lock_hash()
    if installed() == wanted:
        return
    print("Installing what the course needs into .venv (once; a minute or two) ...", flush=True)
    uv = shutil.which("uv")
    if not (python_works(venv_python()) and (uv or pip_works(venv_python()))):
        shutil.rmtree(VENV, ignore_errors=True)
        make_venv(uv, find_python())
    install_lock(uv or uv_from_lock())
    with open(STAMP, "w") as stamp:
        stamp.write(wanted)


def make_venv(uv: str | None, python: str | None) -> None:
    """With uv if it is there, else with the standard library."""
    if uv:
        # uv finds, or fetches, a Python of its own where the machine has none that fits.
        choice = python or "{}.{}".format(*NEWEST)
        run([uv, "venv", "--quiet", "--python", choice, VENV], "uv could not make .venv")
    elif python:
        run(
            [python, "-m", "venv", VENV],
            "Python could not make .venv (on Debian and Ubuntu: sudo apt install python3-venv)",
        )
    else:
        stop(
            "Python 3.11, 3.12 or 3.13 is needed; this is {}.{}. Install one of them, or uv, "
            "and try again.".format(*sys.version_info[:2])
        )


def uv_from_lock() -> str | None:
    """Have pip install the lock's own uv, which is many times faster; None if it cannot."""
    with open(LOCK) as lock:
        lines = lock.read().split("\n")
    start = next((n for n, line in enumerate(lines) if line.startswith("uv==")), None)
    if start is None:
        return None
    end = next((n for n in range(start, len(lines)) if not lines[n].endswith("\\")), start)
    only_uv = os.path.join(VENV, "only-uv.lock")
    with open(only_uv, "w") as file:
        file.write("\n".join(lines[start : end + 1]) + "\n")
    if call(pip_command(only_uv)) != 0:
        return None
    return os.path.join(VENV, "bin", "uv")


def install_lock(uv: str | None) -> None:
    """Install the lock, hashes checked: with uv, or with pip where there is no uv."""
    command = pip_command(LOCK)
    if uv:
        python = venv_python()
        command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCK]
    run(command, "the packages could not be installed")


def pip_command(lock: str) -> list[str]:
    """What installs a lock with the pip of `.venv`."""
    pip = [venv_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [*pip, "--require-hashes", "-r", lock]


def run(command: list[str], problem: str) -> None:
    """Run one step; on failure say which in one line and end."""
    if call(command) != 0:
        stop(f"{problem}; the lines above say why. Is there a network?")


def call(command: list[str]) -> int:
    """Run a command with its caches below the repository. Returns its exit code."""
    cache = os.path.join(ROOT, ".cache")
    environment = dict(os.environ)
    environment.setdefault("UV_CACHE_DIR", os.path.join(cache, "uv"))
    environment.setdefault("PIP_CACHE_DIR", os.path.join(cache, "pip"))
    environment.pop("VIRTUAL_ENV", None)
    return subprocess.call(command, env=environment)


def find_python() -> str | None:
    """A Python of a version that the course runs on, or None."""
    for name in (sys.executable, "python3.13", "python3.12", "python3.11"):
        path = shutil.which(name)
        if path and python_works(path):
            return path
    return None


def python_works(path: str) -> bool:
    """Whether it starts and is new, and old, enough."""
    code = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.call([path, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def pip_works(python: str) -> bool:
    """Whether it has pip; one whose making was interrupted may have none."""
    return subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def venv_python() -> str:
    """The interpreter inside `.venv`."""
    return os.path.join(VENV, "bin", "python")


def lock_hash() -> str:
    """SHA-256 of the lock file."""
    with open(LOCK, "rb") as lock:
        return hashlib.sha256(lock.read()).hexdigest()


def installed() -> str | None:
    """The hash of the lock that `.venv` was made from, or None."""
    try:
        with open(STAMP) as stamp:
            return stamp.read() if os.path.exists(venv_python()) else None
    except OSError:
        return None


def stop(line: str) -> NoReturn:
    """One line, and the exit code for a problem of the environment."""
    sys.stderr.write(f"install: {line}\n")
    sys.exit(ENVIRONMENT)


if __name__ == "__main__":
    main()
