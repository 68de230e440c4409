"""What every test of this folder shares. It must not know a part or a check."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

SHOWN_AT_THE_END = "shown at the end"
# Of several processes one would be left with these, while the others have nothing to do.
LONGEST = ("test_submissions.py", "test_hostile.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the longest files; a single one keeps the order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name not in LONGEST)


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
