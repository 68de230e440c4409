"""Judging: hidden checks, as pure functions over transcripts.

It imports neither Airflow nor learner code.
"""

from typing import Protocol

from grader.judge.check import NotChecked, NotPassed, check, expect, scenario
from grader.judge.view import Observation


class Observe(Protocol):
    """What a check is given to look with; see `Judge.observe`."""

    def __call__(self, name: str, *, may_fail: bool = False) -> Observation: ...


__all__ = ["NotChecked", "NotPassed", "Observation", "Observe", "check", "expect", "scenario"]
