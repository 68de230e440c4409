"""What happened when a scenario was observed, as plain data.

Written by the worker, read by the judge. Everything in it came out of a process that ran learner
code, so every reader validates it first. It must not know what was expected.
All times are virtual, ISO 8601 with an offset; durations are seconds.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION: Final = 1

TaskState = Literal[
    "success", "failed", "skipped", "upstream_failed", "up_for_retry", "up_for_reschedule",
    "deferred", "removed", "scheduled", "queued", "running", "restarting", "awaiting_input", "none",
]  # fmt: skip


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Error(_Fact):
    """An exception: `line` is the innermost line of the learner's own file, if one took part.

    `text` is that line, and `todo` the number of the TODO region that it stands in.
    """

    type: str
    message: str
    line: int | None = None
    text: str | None = None
    todo: int | None = None


class Value(_Fact):
    """A value that left the learner's code: `json_value` when it is JSON, else only its looks."""

    is_json: bool
    json_value: Any = None
    type: str
    repr: str


class TaskFacts(_Fact):
    """A task as Airflow sees it before any run."""

    task_id: str
    operator: str
    line: int | None = None
    upstream: list[str]
    trigger_rule: str
    setup: bool = False
    teardown: bool = False
    retries: int
    retry_delay: float
    retry_exponential_backoff: bool
    max_retry_delay: float | None = None
    execution_timeout: float | None = None
    pool: str
    pool_slots: int = 1
    priority_weight: int = 1
    max_active_per_dag: int | None = None
    max_active_per_run: int | None = None
    outlets: list[str] = Field(default_factory=list)
    group: str | None = None
    mapped: bool = False
    callbacks: list[str] = Field(default_factory=list)
    depends_on_past: bool = False
    owner: str = ""


class DeadlineFacts(_Fact):
    """A deadline alert as it is declared; `interval` is None if it could not be worked out."""

    name: str | None = None
    reference: str
    interval: float | None = None
    callback: str
    asynchronous: bool


class DagFacts(_Fact):
    """The DAG as Airflow sees it. `next_runs` are its next three automatic run times, `assets` are
    the names of those that it is scheduled on.
    """

    dag_id: str
    line: int | None = None
    next_runs: list[str]
    start_date: str | None = None
    catchup: bool
    tags: list[str]
    params: dict[str, Any]
    description: str | None = None
    max_active_runs: int | None = None
    max_active_tasks: int | None = None
    run_timeout: float | None = None
    assets: list[str] = Field(default_factory=list)
    deadlines: list[DeadlineFacts] = Field(default_factory=list)
    callbacks: list[str] = Field(default_factory=list)
    tasks: list[TaskFacts]


class Try(_Fact):
    """One attempt at one task instance. `end` and `state` are None if it never came back."""

    task_id: str
    map_index: int = -1
    number: int
    start: str
    end: str | None = None
    state: TaskState | None = None
    error: Error | None = None
    output: str = ""
    output_truncated: bool = False
    xcoms: dict[str, Value] = Field(default_factory=dict)
    rendered: dict[str, Value] = Field(default_factory=dict)


class TaskInstance(_Fact):
    """The state a task instance was left in when the run ended, and the weight that it had in the
    queue.
    """

    task_id: str
    map_index: int = -1
    state: TaskState
    try_number: int = 0
    priority_weight: int = 1


class AssetEvent(_Fact):
    """One update of an asset, as the metadata database has it after the run."""

    asset: str
    task_id: str | None = None
    extra: Value


class Deadline(_Fact):
    """One deadline of a run: when it was due and, if it was missed, what became of its callback."""

    name: str | None = None
    due: str
    missed: bool
    error: Error | None = None
    output: str = ""


class Table(_Fact):
    """One table of a database after the run; `total` counts the rows that are left out too."""

    columns: list[str]
    rows: list[list[Any]]
    total: int


class Run(_Fact):
    """One DAG run. `state` is None if the run did not come to an end; `killed` says that its
    process was ended on purpose. `cause` is `asset` if an update of an asset started it; such a run
    has no logical date. `databases` holds tables by file and name.
    """

    dag_id: str
    cause: Literal["planned", "asset"] = "planned"
    logical_date: str | None
    start: str
    end: str | None = None
    conf: dict[str, Any] = Field(default_factory=dict)
    state: Literal["success", "failed", "running", "queued"] | None = None
    error: Error | None = None
    killed: bool = False
    instances: list[TaskInstance] = Field(default_factory=list)
    tries: list[Try] = Field(default_factory=list)
    asset_events: list[AssetEvent] = Field(default_factory=list)
    deadlines: list[Deadline] = Field(default_factory=list)
    databases: dict[str, dict[str, Table]] = Field(default_factory=dict)


class File(_Fact):
    """A file that the submission wrote below its scratch folder. `text` is None if not UTF-8."""

    path: str
    size: int
    text: str | None = None


class Metric(_Fact):
    """One StatsD line as it came in: `airflow.ti.finish,dag_id=x:1|c`."""

    name: str
    value: float
    type: str
    tags: dict[str, str] = Field(default_factory=dict)


class Mail(_Fact):
    """One message that the scenario's SMTP server took."""

    sender: str
    recipients: list[str]
    subject: str
    body: str


class Request(_Fact):
    """One request that the scenario's HTTP server got."""

    method: str
    path: str
    body: str = ""


class Breach(_Fact):
    """A limit that was hit, or a way in which the process did not come to its end."""

    limit: Literal[
        "seconds", "memory", "processes", "output", "files", "tasks", "xcom", "exit",
        "tampering",
    ]  # fmt: skip
    detail: str
    phase: Literal["load", "run"]
    task_id: str | None = None


class Loading(_Fact):
    """What loading the file did besides making DAGs: seconds slept (virtual), and what it touched,
    such as `connect 127.0.0.1:9090`, `run curl`, `write /tmp/x`.
    """

    slept: float = 0.0
    touched: list[str] = Field(default_factory=list)


class Transcript(_Fact):
    """All that was observed of one scenario. `dag` is the part's own, `others` are the file's other
    ones.
    """

    version: Literal[1] = VERSION
    scenario: str
    import_error: Error | None = None
    dag_ids: list[str] = Field(default_factory=list)
    dag: DagFacts | None = None
    others: list[DagFacts] = Field(default_factory=list)
    loading: Loading = Loading()
    runs: list[Run] = Field(default_factory=list)
    files: list[File] = Field(default_factory=list)
    metrics: list[Metric] = Field(default_factory=list)
    mails: list[Mail] = Field(default_factory=list)
    requests: list[Request] = Field(default_factory=list)
    load_output: str = ""
    breach: Breach | None = None
    timings: dict[str, float] = Field(default_factory=dict)
