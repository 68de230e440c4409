"""Shows sealed check files to pytest as the modules that they are.

It must not open them itself: they come through `import`, like every module.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from grader.sealed import SUFFIX


class SealedModule(pytest.Module):
    """A sealed file with checks."""

    def _getobj(self) -> ModuleType:
        return importlib.import_module(f"grader.checks.{self.path.stem}")


class SealedFiles:
    """The pytest plugin."""

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """A module for each sealed file that pytest is told of."""
        if file_path.suffix != SUFFIX:
            return None
        module: pytest.Module = SealedModule.from_parent(parent, path=file_path)
        return module
