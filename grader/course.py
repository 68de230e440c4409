"""The course as `exercises/course.toml` lists it: parts, their tasks, points and limits.

It must not look into a submission.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from grader.scenario import Limits

ROOT = Path(__file__).resolve().parent.parent


class Task(BaseModel):
    """One numbered task: section `## N.` of the lesson and `TODO N` in the stub."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    points: int = Field(gt=0)


class Part(BaseModel):
    """One part of the course: a folder with a lesson and one DAG file to complete. `several_dags`
    says that the file may hold others beside `dag_id`; its checks say which.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    slug: str = Field(pattern=r"^\d\d_[a-z0-9_]+$")
    title: str
    minutes: int = Field(gt=0)
    dag_id: str
    dag_file: str
    several_dags: bool = False
    tags: tuple[str, ...] = ()
    task: tuple[Task, ...] = Field(min_length=1)
    limits: Limits = Limits()

    @property
    def number(self) -> str:
        return self.slug[:2]

    @property
    def max_points(self) -> int:
        return sum(task.points for task in self.task)


class Course(BaseModel):
    """All parts in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    part: tuple[Part, ...]

    @cached_property
    def numbers(self) -> list[str]:
        return [part.number for part in self.part]

    def select(self, wanted: list[str]) -> list[Part]:
        """The parts whose number or slug is in `wanted`, in course order; all if it is empty.

        Raises `KeyError` with the first name that is no part.
        """
        wanted = [name.zfill(2) for name in wanted]
        for name in wanted:
            if not any(name in (part.number, part.slug) for part in self.part):
                raise KeyError(name)
        return [p for p in self.part if not wanted or p.number in wanted or p.slug in wanted]


def load_course(exercises: Path = ROOT / "exercises") -> Course:
    """Read `course.toml`. Raises `ValueError` (pydantic's) where it is not well-formed."""
    return Course.model_validate(tomllib.loads((exercises / "course.toml").read_text("utf-8")))
