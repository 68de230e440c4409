"""What every test of this folder shares. It must not know a part or a check."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SHOWN_AT_THE_END = "shown at the end"
# Of several processes one would be left with these, while the others have nothing to do.
LONGEST = ("test_submissions.py", "test_hostile.py")
# What a parameter begins with that says which part a test is about.
NUMBERED = re.compile(r"/test_submissions\.py::\w+\[(\d\d)[-_]")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the longest files; a single one keeps the order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name not in LONGEST)


class WholeFiles(LoadScopeScheduling):
    """Each process takes a file whole, and of the longest one all that is about one part."""

    def _split_scope(self, nodeid: str) -> str:
        file, numbered = nodeid.partition("::")[0], NUMBERED.search(nodeid)
        return f"{file} {numbered[1]}" if numbered else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles | None:
    """Take the place of `--dist loadfile`."""
    return WholeFiles(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def show_at_the_end(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Prints a text after all tests: where several processes run them, they cannot."""
    return partial(record_property, SHOWN_AT_THE_END)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests left for people to read."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", ()))
            if getattr(report, "when", "") == "call" and SHOWN_AT_THE_END in properties:
                terminalreporter.write("\n" + properties[SHOWN_AT_THE_END])
