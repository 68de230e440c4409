"""What the judging side asks of the worker and what it gets back. Plain data, no behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from grader.scenario import Limits, Scenario, Server
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


class Ready(BaseModel):
    """The worker has loaded Airflow. Seconds by phase."""

    model_config = ConfigDict(extra="forbid")
    timings: dict[str, float]


class Opened(BaseModel):
    """The sockets of one job's servers were opened. They come along with this, in this order."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["opened"] = "opened"
    id: int
    sockets: tuple[Server, ...]


class Reply(BaseModel):
    """The transcript of one job."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["reply"] = "reply"
    id: int
    transcript: Transcript


NEWS: TypeAdapter[Opened | Reply] = TypeAdapter(
    Annotated[Opened | Reply, Field(discriminator="kind")]
)
