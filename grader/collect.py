"""Finds what each hidden check file declares: its scenarios and its checks.

It imports check files, which are the grader's own; it must never look at a submission.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType

from grader.course import Part
from grader.judge.check import SCENARIO_ATTRIBUTE, check_mark
from grader.scenario import Scenario

CHECKS = Path(__file__).resolve().parent / "checks"


@dataclass(frozen=True)
class DeclaredCheck:
    """A check as its file declares it."""

    id: str
    task: int
    title: str
    requires: tuple[str, ...]


def check_file(part: Part) -> Path:
    """The hidden check file of a part."""
    return CHECKS / f"test_{part.slug}.py"


def check_files(part: Part) -> list[Path]:
    """All hidden files of a part: its checks and what draws their inputs."""
    return sorted(CHECKS.glob(f"*_{part.slug}.py"))


def check_module(part: Part) -> ModuleType:
    """Import the check file of a part."""
    return importlib.import_module(f"grader.checks.test_{part.slug}")


def checks(part: Part) -> list[DeclaredCheck]:
    """The part's checks in the order of its file."""
    found = []
    for name, value in vars(check_module(part)).items():
        mark = check_mark(value) if name.startswith("test_") else None
        if mark is not None:
            found.append(
                DeclaredCheck(
                    id=name.removeprefix("test_"),
                    task=mark.task,
                    title=(value.__doc__ or name).strip().splitlines()[0],
                    requires=tuple(r.removeprefix("test_") for r in mark.requires),
                )
            )
    return found


def scenarios(part: Part, seed: int) -> list[Scenario]:
    """The part's scenarios, their inputs drawn from the seed. The same seed gives the same."""
    found = []
    for value in vars(check_module(part)).values():
        name = getattr(value, SCENARIO_ATTRIBUTE, None)
        if isinstance(name, str):
            drawn = value(Random(f"{seed}:{part.slug}:{name}"))
            found.append(drawn.model_copy(update={"name": name}))
    return found
