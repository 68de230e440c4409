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
    """What the scenario's HTTP server answers on one path. `delay` is real seconds; with `hang_up`
    it closes the connection without a word.
    """

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False


class Interruption(_Plain):
    """Something that happens in the middle of a run: at the moment when the `change`-th change to
    files in the run's folder is done, counted over the tasks' own lines. With `file`, a path below
    that folder, only changes to this one count, and that it is emptied to be written anew is one.

    `kill` ends the process, as the kernel would; the next run has a new one. `pause` holds it until
    the next run, which has a process of its own, has ended or waits for a retry.
    """

    kind: Literal["kill", "pause"]
    change: int = Field(default=1, gt=0)
    file: str | None = None


class PlannedRun(_Plain):
    """One DAG run: the virtual clock is moved to `logical_date` before it starts, or to `start` if
    that is given. It waits in the queue from `queued` until then, or not at all. `dag_id` is needed
    only where a file has several DAGs.
    """

    logical_date: AwareDatetime
    start: AwareDatetime | None = None
    queued: AwareDatetime | None = None
    dag_id: str | None = None
    conf: dict[str, Any] = Field(default_factory=dict)
    interruption: Interruption | None = None

    @property
    def begin(self) -> datetime:
        """The virtual time at which it starts."""
        return self.start or self.logical_date


def pauses(run: PlannedRun) -> bool:
    """Whether the run after this one takes place in the middle of it."""
    return run.interruption is not None and run.interruption.kind == "pause"


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
    is loaded; it defaults to the first run's start. `{http}` in a variable or connection
    becomes the address of the scenario's HTTP server. Of the replies on a path each is given once,
    in their order, and the last one from then on. `databases` are SQLite or DuckDB files in
    the runs' folder whose tables are read after each run.
    """

    name: str = ""
    runs: tuple[PlannedRun, ...] = ()
    files: dict[str, str | None] = Field(default_factory=dict)
    now: AwareDatetime | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    connections: dict[str, str] = Field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    http_replies: dict[str, tuple[HttpReply, ...]] = Field(default_factory=dict)
    databases: tuple[str, ...] = ()

    @property
    def start(self) -> datetime:
        """The virtual time at which the file is loaded."""
        if self.now is not None:
            return self.now
        if self.runs:
            return self.runs[0].begin
        raise ValueError(f"scenario {self.name!r} has neither runs nor a time to load at")
