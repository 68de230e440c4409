"""Turns live Airflow objects into plain facts. Every text is cut to size; nothing here may raise
because a learner's object misbehaves.
"""

from __future__ import annotations

import json
import linecache
import math
import re
import traceback
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from grader.transcript import DagFacts, DeadlineFacts, Error, TaskFacts, Value

dumps = json.dumps
MESSAGE_LIMIT = 2_000
REPR_LIMIT = 500
TODO = re.compile(r"\s*# --- (?P<end>end of )?TODO (?P<number>\d+)")
JSON_LIMIT = 256 * 1024
JSON_DEPTH = 50


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """At most `limit` characters, with a note of how many there were."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def looks(value: object) -> str:
    """`repr` that cannot fail and cannot be long."""
    try:
        return cut(str(repr(value)), REPR_LIMIT)
    except BaseException:
        return f"<{type(value).__name__} whose repr() fails>"


def error_facts(error: BaseException, file: str) -> Error:
    """An exception with the innermost line of `file` that took part in it."""
    try:
        message = str(error)
    except BaseException:
        message = "(its own text could not be made: __str__ raised)"
    line = None
    if isinstance(error, SyntaxError) and error.filename == file:
        line, message = error.lineno, error.msg or "invalid syntax"
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == file:
                line = number
    return Error(
        type=cut(str(type(error).__name__), 100),
        message=cut(message),
        line=line,
        text=linecache.getline(file, line).strip()[:200] or None if line else None,
        todo=todo_at(file, line) if line else None,
    )


def todo_at(file: str, line: int) -> int | None:
    """The number of the TODO region that a line stands in."""
    number = None
    for text in linecache.getlines(file)[:line]:
        if found := TODO.match(text):
            number = None if found["end"] else int(found["number"])
    return number


def value_facts(value: object) -> Value:
    """A value from the metadata database: JSON as it is, anything else by its looks."""
    kind = type(value).__name__
    if isinstance(value, dict) and "__classname__" in value:
        kind = str(value["__classname__"]).removeprefix("builtins.")
        return Value(is_json=False, type=kind, repr=looks(value.get("__data__")))
    if isinstance(value, float) and not math.isfinite(value):
        return Value(is_json=False, type=kind, repr=repr(value))
    try:
        text = dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is not None and len(text) > JSON_LIMIT:
        return Value(is_json=False, type=f"{kind} of {len(text):,} characters", repr=text[:100])
    if text is None or depth_of(text) > JSON_DEPTH:
        return Value(is_json=False, type=kind, repr=looks(value))
    return Value(is_json=True, json_value=value, type=kind, repr=cut(text, REPR_LIMIT))


def depth_of(text: str) -> int:
    """How deep brackets are nested in a JSON text; those inside strings count too."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def seconds(value: Any) -> float | None:
    """A duration in seconds, whether Airflow holds it as timedelta or number."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, int | float) else None


def time_text(value: Any) -> str | None:
    """ISO 8601 or None."""
    return value.isoformat() if isinstance(value, datetime) else None


def callback_names(owner: Any) -> list[str]:
    """Which callbacks are set, by Airflow's attribute names."""
    kinds = ("execute", "success", "failure", "retry", "skipped")
    return [f"on_{k}_callback" for k in kinds if getattr(owner, f"on_{k}_callback", None)]


def task_line(task: Any, file: str) -> int | None:
    """Where the function behind a TaskFlow task starts in `file`."""
    function = getattr(task, "python_callable", None) or getattr(task, "op_kwargs", None)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename != file:
        return None
    return int(code.co_firstlineno)


def task_facts(task: Any, file: str) -> TaskFacts:
    """One task. A mapped task answers for its partial."""
    return TaskFacts(
        task_id=str(task.task_id),
        operator=str(getattr(task, "operator_name", None) or task.task_type),
        line=task_line(task, file),
        upstream=sorted(str(t) for t in task.upstream_task_ids),
        trigger_rule=str(getattr(task.trigger_rule, "value", task.trigger_rule)),
        setup=bool(task.is_setup),
        teardown=bool(task.is_teardown),
        retries=int(task.retries or 0),
        retry_delay=seconds(task.retry_delay) or 0.0,
        retry_exponential_backoff=bool(task.retry_exponential_backoff),
        max_retry_delay=seconds(task.max_retry_delay),
        execution_timeout=seconds(task.execution_timeout),
        pool=str(task.pool),
        pool_slots=int(task.pool_slots),
        priority_weight=int(task.priority_weight),
        max_active_per_dag=task.max_active_tis_per_dag,
        max_active_per_run=task.max_active_tis_per_dagrun,
        outlets=asset_names(getattr(task, "outlets", None) or ()),
        group=str(task.task_group.group_id)
        if getattr(task, "task_group", None) and task.task_group.group_id
        else None,
        mapped=bool(task.get_needs_expansion()),
        callbacks=callback_names(task),
        depends_on_past=bool(task.depends_on_past),
        owner=str(task.owner),
    )


def asset_names(assets: Any) -> list[str]:
    """The names of assets, sorted."""
    return sorted({str(a.name) for a in assets if getattr(a, "name", None)})


def scheduling_assets(scheduled: Any) -> list[Any]:
    """The assets whose updates start a run."""
    condition = getattr(scheduled.timetable, "asset_condition", None)
    return [asset for _, asset in condition.iter_assets()] if condition is not None else []


def deadlines_of(dag: DAG) -> list[Any]:
    """The deadline alerts of a DAG. Airflow makes a list of them, whatever was declared."""
    return list(dag.deadline or ())  # type: ignore[arg-type]


def deadline_facts(alert: Any) -> DeadlineFacts:
    """A deadline alert as it is declared."""
    return DeadlineFacts(
        name=cut(str(alert.name), 200) if alert.name else None,
        reference=str(alert.reference.reference_name),
        interval=seconds(alert.interval),
        callback=cut(str(alert.callback.path), 200),
        asynchronous=type(alert.callback).__name__ == "AsyncCallback",
    )


def dag_line(dag: DAG, file: str) -> int | None:
    """The line that names the DAG's id, as a place to point at."""
    for number, text in enumerate(linecache.getlines(file), start=1):
        if f'"{dag.dag_id}"' in text or f"'{dag.dag_id}'" in text:
            return number
    return None


def next_runs(scheduled: Any, count: int = 3) -> list[str]:
    """The next automatic run times, as the scheduler would work them out at this moment."""
    times, info = [], None
    for _ in range(count):
        info = scheduled.next_dagrun_info(last_automated_run_info=info)
        if info is None:
            break
        times.append(info.run_after.isoformat())
    return times


def dag_facts(dag: DAG, file: str) -> DagFacts:
    """The DAG as Airflow sees it before any run."""
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    return DagFacts(
        dag_id=str(dag.dag_id),
        line=dag_line(dag, file),
        next_runs=next_runs(scheduled),
        start_date=time_text(dag.start_date),
        catchup=bool(dag.catchup),
        tags=sorted(str(tag) for tag in dag.tags),
        params={str(k): _param(v) for k, v in dag.params.dump().items()},
        description=cut(str(dag.description)) if dag.description else None,
        max_active_runs=dag.max_active_runs,
        max_active_tasks=dag.max_active_tasks,
        run_timeout=seconds(dag.dagrun_timeout),
        assets=asset_names(scheduling_assets(scheduled)),
        deadlines=[deadline_facts(alert) for alert in deadlines_of(dag)],
        callbacks=callback_names(dag),
        tasks=[task_facts(task, file) for task in dag.tasks],
    )


def _param(value: object) -> Any:
    facts = value_facts(value)
    return facts.json_value if facts.is_json else facts.repr
