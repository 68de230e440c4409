"""What the judging side asks of the worker and what it gets back. Plain data, no behaviour."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from grader.scenario import Limits, Scenario, Server
from grader.transcript import Transcript

MOST_STARTED = 20  # runs that assets start because of one planned run


def run_key(index: int, started: int = 0) -> int:
    """A number for the n-th planned run, or for the n-th that an asset started because of it."""
    return index * (MOST_STARTED + 1) + started


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
    several_dags: bool = False
    scenario: Scenario
    limits: Limits


class Turn(BaseModel):
    """What one of a job's processes does. `number` counts the processes, `runs` are the planned
    runs that it takes; `beside` says that it runs while another one is held.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    job: Job
    number: int
    runs: tuple[int, ...]
    beside: bool = False

    @property
    def start(self) -> datetime:
        """The virtual time at which it begins."""
        if self.number == 0:
            return self.job.scenario.start
        return self.job.scenario.runs[self.runs[0]].begin

    @property
    def output(self) -> Path:
        """Where its standard output goes."""
        return self.job.folder / f"output-{self.number}.txt"

    @property
    def database(self) -> Path:
        """Its own copy of the metadata database."""
        return self.job.folder / f"airflow-{self.number}.db"


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
