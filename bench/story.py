"""A scenario as plain data: what the stories are written in, and the other ways read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter


class StoryRun(BaseModel):
    """One DAG run, and the state in which it has to end whoever runs it."""

    logical_date: str
    conf: dict[str, Any]
    state: str


class Story(BaseModel):
    """One scenario. `plain` says that Airflow alone can run it; `waits` is the real time, in s,
    that retry delays alone would take.
    """

    part: str
    scenario: str
    dag_id: str
    dag_file: str
    folder: Path
    runs: list[StoryRun]
    plain: bool
    retries: int
    waits: float

    @property
    def name(self) -> str:
        return f"{self.part[:2]} {self.scenario}"


STORIES = TypeAdapter(list[Story])
