"""The programs that some tests run: skipped where they are not, unless STACK_BINARIES=required.

It must not install or build anything.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stack.native import binaries


def binary(name: str) -> Path:
    """The program. Without it the test is skipped, or fails where programs are required."""
    found = binaries.find(name)
    if found is None:
        if os.environ.get("STACK_BINARIES") == "required":
            pytest.fail(f"{name} is not here, and STACK_BINARIES=required")
        pytest.skip(f"{name} is not here")
    return found


def run(*command: str | Path) -> str:
    """What a program printed; the test fails with it if the program did."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
