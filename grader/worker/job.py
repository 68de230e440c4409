"""What the judging side asks of the worker and what it gets back. Plain data, no behaviour."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from grader.scenario import Limits, Scenario
from grader.transcript import Transcript


class Setup(BaseModel):
    """The first line a worker reads: where it may write and what is preloaded."""

    model_config = ConfigDict(extra="forbid")
    home: Path


class Job(BaseModel):
    """One scenario to observe. `folder` holds what `grader.observe.staging` put there:
    `part/` (the learner's file and the data), `work/` (the current folder of the run).
    """

    model_config = ConfigDict(extra="forbid")
    id: int
    folder: Path
    dag_file: str
    dag_id: str
    scenario: Scenario
    limits: Limits
    environment: dict[str, str] = {}


class Ready(BaseModel):
    """The worker has loaded Airflow. Seconds by phase."""

    model_config = ConfigDict(extra="forbid")
    timings: dict[str, float]


class Reply(BaseModel):
    """The transcript of one job."""

    model_config = ConfigDict(extra="forbid")
    id: int
    transcript: Transcript
