"""Judging: hidden checks, as pure functions over transcripts.

It imports neither Airflow nor learner code.
"""

from collections.abc import Callable

from grader.judge.check import NotChecked, NotPassed, check, expect, scenario
from grader.judge.view import Observation

Observe = Callable[[str], Observation]

__all__ = ["NotChecked", "NotPassed", "Observation", "Observe", "check", "expect", "scenario"]
