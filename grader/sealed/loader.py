"""Imports sealed check files: opened in memory, and nowhere else.

No bytecode and no temporary file is written, and no source is kept for tracebacks. It belongs into
a process that no learner code lives beside; `grader.apart` starts such.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from grader.sealed import SUFFIX, Damaged
from grader.sealed.seal import unseal

PACKAGE = "grader.checks"


def install(folder: Path) -> None:
    """Have `import grader.checks.…` in this process read the sealed files of a folder."""
    if not any(isinstance(finder, SealedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, SealedFinder(folder))


class SealedFinder(MetaPathFinder):
    """Finds the package and its modules, and says so if a file is not there."""

    def __init__(self, folder: Path):
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What `import` asks. Nothing in the folder that is not sealed is imported."""
        package, _, name = fullname.rpartition(".")
        if fullname == PACKAGE:
            return ModuleSpec(fullname, None, is_package=True)
        if package == PACKAGE:
            return ModuleSpec(fullname, SealedLoader(self._folder / f"{name}{SUFFIX}"))
        return None


class SealedLoader(Loader):
    """Runs one sealed file as a module."""

    def __init__(self, file: Path):
        self._file = file

    def exec_module(self, module: ModuleType) -> None:
        """Raises `Damaged` with the file's name."""
        name, place = self._file.stem, f"grader/checks/{self._file.name}"
        try:
            source = unseal(self._file.read_bytes(), name)
        except FileNotFoundError:
            raise Damaged(f"{place} is missing") from None
        except OSError as error:
            raise Damaged(f"{place} cannot be read ({error.strerror})") from None
        except Damaged as problem:
            raise Damaged(f"{place} {problem}") from None
        exec(compile(source, f"<sealed {name}>", "exec", dont_inherit=True), vars(module))
