"""The course as git has it: what is committed, and whether the checkout is the same.

It must not read the working tree: what somebody tries out there is not for learners.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


class NotReleasable(Exception):
    """Nothing can be released from this checkout as it is."""


class NoGit(Exception):
    """Git is not there, or this is no checkout."""


@dataclass(frozen=True)
class File:
    """A file's bytes, and whether it can be run."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Commit:
    """Which one, and when it was made."""

    id: str
    time: datetime


def head(root: Path) -> Commit:
    """The commit that is checked out. Raises `NoGit`."""
    name, seconds = git(root, "show", "--no-patch", "--format=%H %ct", "HEAD").decode().split()
    return Commit(name, datetime.fromtimestamp(int(seconds), UTC))


def files_of(root: Path, commit: Commit) -> dict[str, File]:
    """All files of a commit by their path. A link is none."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(git(root, "archive", "--format=tar", commit.id))) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                found[member.name] = File(content.read(), bool(member.mode & 0o100))
    return found


def refuse_changes(root: Path, paths: Iterable[str]) -> None:
    """Raises `NotReleasable` where a file below `paths` is not as it is committed, or is new."""
    told = git(
        root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths
    )
    changed = [entry[3:] for entry in told.decode("utf-8", "replace").split("\0") if entry]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise NotReleasable(
            f"{', '.join(changed[:3])}{more}: not as in git's last commit. "
            "Commit the changes, or put them away, and build again."
        )


def git(root: Path, *arguments: str) -> bytes:
    """What a git command says. Raises `NoGit` with its last line where it fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, env=own, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise NoGit("git is not installed, and only what it tracks is released.") from None
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it failed"]
        raise NoGit(f"git {arguments[0]} in {root}: {words[-1]}")
    return done.stdout
