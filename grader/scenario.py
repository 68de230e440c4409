"""What a submission goes through: input files, configuration, dates, local servers, limits.

Plain data that crosses into the worker. It must never carry an expected value, a check or a
verdict, because learner code runs where it arrives.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Server = Literal["statsd", "smtp", "http"]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpReply(_Plain):
    """What the scenario's HTTP server answers on one path. `delay` is real seconds."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    delay: float = 0.0


class PlannedRun(_Plain):
    """One DAG run: the virtual clock is moved to `logical_date` before it starts."""

    logical_date: AwareDatetime
    conf: dict[str, Any] = Field(default_factory=dict)


class Limits(_Plain):
    """What one scenario may use, enforced from outside the learner's process."""

    seconds: float = 30.0
    memory_mib: int = 2048
    processes: int = 64
    output_mib: int = 16
    files_mib: int = 64
    xcom_mib: int = 8
    tasks: int = 500


class Scenario(_Plain):
    """One story a submission is taken through.

    `files` maps a path below the part's folder (`data/customers.csv`) to its text and replaces
    what the course ships there (None takes it away). `now` is the virtual time at which the file
    is loaded; it defaults to the first run's logical date. `{http}` in a variable or connection
    becomes the address of the scenario's HTTP server.
    """

    name: str = ""
    runs: tuple[PlannedRun, ...] = ()
    files: dict[str, str | None] = Field(default_factory=dict)
    now: AwareDatetime | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    connections: dict[str, str] = Field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    http_replies: dict[str, HttpReply] = Field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """The virtual time at which the file is loaded."""
        if self.now is not None:
            return self.now
        if self.runs:
            return self.runs[0].logical_date
        raise ValueError(f"scenario {self.name!r} has neither runs nor a time to load at")
