"""Finds what each hidden check file declares: its scenarios and its checks.

Check files are read in a child process; plain data comes back. It must never look at a submission.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType

from pydantic import BaseModel, ConfigDict, RootModel

from grader import apart
from grader.course import Part
from grader.judge.check import SCENARIO_ATTRIBUTE, check_mark
from grader.scenario import Scenario
from grader.sealed import SUFFIX

CHECKS = Path(__file__).resolve().parent / "checks"


@dataclass(frozen=True)
class DeclaredCheck:
    """A check as its file declares it."""

    id: str
    task: int
    title: str
    requires: tuple[str, ...]


class Declared(BaseModel):
    """What the files of a part declare: checks in their order, scenarios drawn from a seed."""

    model_config = ConfigDict(frozen=True)
    checks: tuple[DeclaredCheck, ...]
    scenarios: tuple[Scenario, ...]


class DeclaredParts(RootModel[dict[str, Declared]]):
    """The same for several parts, by slug."""


def are_sealed() -> bool:
    """Whether the checks are those of a learner's copy, also if all of them are gone."""
    return any(CHECKS.glob(f"*{SUFFIX}")) or not any(CHECKS.glob("test_*.py"))


def check_file(part: Part) -> Path:
    """The hidden check file of a part."""
    return CHECKS / f"test_{part.slug}{SUFFIX if are_sealed() else '.py'}"


def check_files(part: Part) -> list[Path]:
    """All hidden files of a part: its checks and what draws their inputs."""
    return sorted(CHECKS.glob(f"*_{part.slug}{check_file(part).suffix}"))


def check_module(part: Part) -> ModuleType:
    """Import the check file of a part. In a process that never runs or watches learner code."""
    if are_sealed():
        from grader.sealed import loader  # needs `cryptography`, which takes a moment to load

        loader.install(CHECKS)
    return importlib.import_module(f"grader.checks.test_{part.slug}")


def declared(parts: Iterable[Part], seed: int) -> dict[str, Declared]:
    """What the parts' files declare, by slug. The same seed draws the same scenarios.

    Raises `GraderProblem` where a file does not load, `EnvironmentProblem` where it is damaged.
    """
    chosen = list(parts)

    def read() -> DeclaredParts:
        return DeclaredParts({part.slug: _read(part, seed) for part in chosen})

    return apart.run(read, DeclaredParts).root


def checks(part: Part) -> list[DeclaredCheck]:
    """The part's checks in the order of its file."""
    return list(declared([part], 0)[part.slug].checks)


def scenarios(part: Part, seed: int) -> list[Scenario]:
    """The part's scenarios, their inputs drawn from the seed. The same seed gives the same."""
    return list(declared([part], seed)[part.slug].scenarios)


def _read(part: Part, seed: int) -> Declared:
    found, drawn = [], []
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
        story = getattr(value, SCENARIO_ATTRIBUTE, None)
        if isinstance(story, str):
            scenario: Scenario = value(Random(f"{seed}:{part.slug}:{story}"))
            drawn.append(scenario.model_copy(update={"name": story}))
    return Declared(checks=tuple(found), scenarios=tuple(drawn))
