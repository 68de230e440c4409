"""Notes each try of each task instance while `DAG.test` runs it.

It wraps the function that `DAG.test` calls for a try and changes nothing in what it does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from airflow.sdk.definitions import dag as dag_module
from airflow.sdk.execution_time import supervisor
from airflow.sdk.execution_time.comms import SetXCom
from airflow.utils.session import create_session
from sqlalchemy import select

from grader.transcript import Error, Try, Value
from grader.worker import facts
from grader.worker.output import OutputTail

Key = tuple[int, str, int, int]


class TryObserver:
    """Emits `try_started` and `try_ended`. The legs of a deferred try are one try. `around` makes
    what each call for a try happens in.
    """

    def __init__(self, emit: Callable[..., None], output: OutputTail, file: str, xcom_limit: int):
        self._emit, self._output, self._file = emit, output, file
        self._xcom_limit = xcom_limit
        self._starts: dict[Key, str] = {}
        self._texts: dict[Key, str] = {}
        self.run_index = 0
        self.around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def install(self) -> None:
        """Take the place of `run_task_in_process`, which `DAG.test` looks up for every try."""
        original = supervisor.run_task_in_process

        def run_task_in_process(ti: Any, task: Any, client: Any = None) -> Any:
            key = (self.run_index, str(ti.task_id), int(ti.map_index), int(ti.try_number))
            self._start(key)
            try:
                with self.around():
                    result = original(ti=ti, task=task, client=client)
            except BaseException as error:
                self._end(key, ti, "failed", error)
                raise
            self._end(key, ti, str(getattr(result.state, "value", result.state)), result.error)
            return result

        supervisor.run_task_in_process = run_task_in_process
        self._watch_triggers()
        self._measure_xcoms()

    def _watch_triggers(self) -> None:
        """`DAG.test` fails a task whose trigger raises, without another call for the task."""
        original = dag_module._run_inline_trigger

        def run_inline_trigger(trigger: Any, ti: Any) -> Any:
            try:
                return original(trigger, ti)
            except BaseException as error:
                key = (self.run_index, str(ti.task_id), int(ti.map_index), int(ti.try_number))
                self._end(key, ti, "failed", error)
                raise

        dag_module._run_inline_trigger = run_inline_trigger

    def _measure_xcoms(self) -> None:
        """Refuse an XCom that is too large before the database has to take it."""
        comms = supervisor.InProcessSupervisorComms
        original, emit, limit = comms.send, self._emit, self._xcom_limit

        def send(self: Any, msg: Any) -> Any:
            if isinstance(msg, SetXCom) and (size := len(facts.dumps(msg.value))) > limit:
                emit("large_xcom", task_id=str(msg.task_id), size=size)
                raise ValueError(f"an XCom of {size:,} characters")
            return original(self, msg)

        comms.send = send  # type: ignore[method-assign]

    def _start(self, key: Key) -> None:
        self._output.skip()
        start = self._starts.setdefault(key, datetime.now(UTC).isoformat())
        run, task_id, map_index, number = key
        self._emit(
            "try_started", run=run, task_id=task_id, map_index=map_index, number=number, start=start
        )

    def _end(self, key: Key, ti: Any, state: str, error: BaseException | None) -> None:
        end = datetime.now(UTC).isoformat()
        text, cut = self._output.read()
        self._texts[key] = text = (self._texts.get(key, "") + text)[-32_768:]
        run, task_id, map_index, number = key
        record = Try(
            task_id=task_id,
            map_index=map_index,
            number=number,
            start=self._starts[key],
            end=end,
            state=state,  # type: ignore[arg-type]
            error=self._error(error),
            output=text,
            output_truncated=cut,
            xcoms=xcoms_of(ti),
            rendered=rendered_fields_of(ti),
        )
        self._emit("try_ended", run=run, record=record.model_dump())

    def _error(self, error: BaseException | None) -> Error | None:
        return None if error is None else facts.error_facts(error, self._file)


def xcoms_of(ti: Any) -> dict[str, Value]:
    """What a task has handed over so far, by key."""
    query = select(XComModel.key, XComModel.value).where(
        XComModel.dag_id == ti.dag_id,
        XComModel.run_id == ti.run_id,
        XComModel.task_id == ti.task_id,
        XComModel.map_index == ti.map_index,
    )
    with create_session() as session:
        return {str(key): facts.value_facts(value) for key, value in session.execute(query)}


def rendered_fields_of(ti: Any) -> dict[str, Value]:
    """The templated arguments of a task as they were rendered, by name."""
    model = RenderedTaskInstanceFields
    query = select(model.rendered_fields).where(
        model.dag_id == ti.dag_id,
        model.run_id == ti.run_id,
        model.task_id == ti.task_id,
        model.map_index == ti.map_index,
    )
    with create_session() as session:
        fields = session.scalar(query) or {}
    return {str(k): facts.value_facts(v) for k, v in fields.items()}
