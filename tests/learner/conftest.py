"""One copy of the course for all tests of a learner's tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from course_copy import PART, Copy, Terminal


@pytest.fixture(scope="session")
def course_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Made once; use `copy`, which is pristine for each test."""
    return Copy(tmp_path_factory.mktemp("course") / "a copy")


@pytest.fixture
def copy(course_copy: Copy) -> Iterator[Copy]:
    """The copy, with pristine exercises and no marks before and after each test."""
    pristine = {path: path.read_bytes() for path in course_copy.folder.glob("exercises/*/*.py")}
    yield course_copy
    for path, data in pristine.items():
        path.write_bytes(data)
    for path in course_copy.folder.glob("exercises/*/*.old-*"):
        path.unlink()
    for path in course_copy.folder.glob("progress.json*"):
        path.unlink() if path.is_file() else path.rmdir()


@pytest.fixture
def terminal(copy: Copy) -> Iterator[Callable[..., Terminal]]:
    """Start a command in a terminal of its own."""
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(copy, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def solved(copy: Copy) -> Copy:
    """The first part is solved."""
    copy.file().write_text(copy.solved(), "utf-8")
    assert PART.number == "00"
    return copy
