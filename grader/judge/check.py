"""The words a hidden check is written in: `scenario`, `check`, `expect`.

A check reads observations and raises `NotPassed` with sentences for a learner. It must not import
Airflow, run learner code or read the submission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from grader.scenario import Scenario

ScenarioFactory = Callable[[Random], Scenario]
SCENARIO_ATTRIBUTE = "__scenario_name__"


class NotPassed(AssertionError):
    """The submission does not do what a check asks for.

    `happened` and `expected` are sentences in the learner's words; `line` is a line of the
    learner's own file. The lesson section to read is the check's own; `task` names another where
    a problem is nobody's in particular.
    """

    def __init__(
        self, happened: str, expected: str = "", *, line: int | None = None, task: int | None = None
    ):
        super().__init__(happened)
        self.happened, self.expected, self.line, self.task = happened, expected, line, task


class NotChecked(Exception):
    """A check cannot say anything because something it builds on is missing."""


@dataclass(frozen=True)
class CheckMark:
    """What `@check` notes on a test function."""

    task: int
    requires: tuple[str, ...]


def scenario(name: str) -> Callable[[ScenarioFactory], ScenarioFactory]:
    """Declare a scenario. The function draws its inputs from the generator it is given."""

    def declare(factory: ScenarioFactory) -> ScenarioFactory:
        setattr(factory, SCENARIO_ATTRIBUTE, name)
        return factory

    return declare


def check(
    *, task: int, requires: Callable[..., None] | tuple[Callable[..., None], ...] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a check of lesson section `task`; its docstring is the line the learner reads.

    When a check named in `requires` does not pass, this one is reported as not checked.
    """
    needed = requires if isinstance(requires, tuple) else (requires,)

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        mark = CheckMark(task=task, requires=tuple(f.__name__ for f in needed))
        marked: Callable[..., None] = pytest.mark.check(mark)(function)
        return marked

    return declare


def check_mark(function: Callable[..., object]) -> CheckMark | None:
    """What `@check` noted on a function, or None."""
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "check":
            found = mark.args[0]
            assert isinstance(found, CheckMark)
            return found
    return None


def expect(condition: Any, *, happened: str, expected: str, at: Any = None) -> None:
    """Raise `NotPassed` unless `condition` is true.

    `at` is anything with a `line` (a task, a try, an error): the place in the learner's file.
    """
    if condition is not True:
        raise NotPassed(happened, expected, line=getattr(at, "line", None))
