"""Which files of the course a learner gets, and in which form. It must not read or write a file.

What is not named here is left out, so that a new folder is not given away by accident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from classroom.handout.checkout import File, NotReleasable
from grader.sealed import SUFFIX
from grader.sealed.seal import seal

RELEASED = (
    ".devcontainer",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "docker-compose.yml",
    "docs",
    "exercises",
    "grader",
    "learner",
    "notebooks",
    "pyproject.toml",
    "requirements.lock",
    "stack",
)
# Only those who write checks or notebooks need these.
AUTHORS_OWN = ("grader/checks/__init__.py", "grader/checks/conftest.py", "notebooks/source")
CHECKS = PurePosixPath("grader/checks")
BEGIN, END = "<!-- not in a learner's copy -->", "<!-- end -->"
PASSAGE = re.compile(rf"^{BEGIN}\n.*?^{END}\n\n?", re.M | re.S)


def learners_files(tracked: Mapping[str, File]) -> dict[str, File]:
    """The files of a learner's copy by their path. Raises `NotReleasable`."""
    found = {}
    for name, file in tracked.items():
        path = PurePosixPath(name)
        if not is_below(path, RELEASED) or is_below(path, AUTHORS_OWN):
            continue
        if path.parent == CHECKS:
            sealed = seal(file.data, path.stem)
            found[str(path.with_suffix(SUFFIX))] = File(sealed)
        elif path.suffix == ".md":
            found[name] = replace(file, data=learners_page(name, file.data))
        else:
            found[name] = file
    return found


def is_below(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    """Whether a path is one of these places or in one."""
    return any(path.is_relative_to(place) for place in places)


def learners_page(name: str, page: bytes) -> bytes:
    """A page without the passages between the two marks. Raises `NotReleasable`."""
    text = PASSAGE.sub("", page.decode("utf-8"))
    if BEGIN in text or END in text:
        raise NotReleasable(f"{name}: each {BEGIN} needs an {END}, each on a line of its own.")
    return text.encode("utf-8")
