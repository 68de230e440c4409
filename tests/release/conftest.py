"""One build for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from handout_copy import build, commit_of_the_checkout, unpack


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit is this checkout. Whoever changes it puts it back."""
    return commit_of_the_checkout(tmp_path_factory.mktemp("committed"))


@pytest.fixture(scope="session")
def zip_file(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The learner's zip."""
    return build(committed, tmp_path_factory.mktemp("dist"))


@pytest.fixture
def course(zip_file: Path, tmp_path: Path) -> Path:
    """A learner's own copy, in a folder whose name is no plain word."""
    return unpack(zip_file, tmp_path / "Kurs für Größe")
