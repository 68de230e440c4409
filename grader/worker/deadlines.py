"""Works out the deadlines of a run and calls their callbacks, as the scheduler and the executor do;
`DAG.test` does neither, and fails over a DAG that has one.

It must not say whether a deadline is a good one.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.datamodels.dag_run import DAGRunResponse
from airflow.models.dagrun import DagRun
from airflow.sdk.execution_time.callback_supervisor import execute_callback
from airflow.serialization.decoders import decode_deadline_alert
from airflow.serialization.encoders import encode_deadline_alert
from airflow.utils.session import create_session

from grader.transcript import Deadline
from grader.worker import facts
from grader.worker.clock import VirtualClock
from grader.worker.load import MODULE
from grader.worker.output import OutputTail

# The scheduler looks after each of its loops, so it is a little late itself.
NOTICED = timedelta(seconds=1)
NO_SUCH_MODULE = "the triggerer cannot import a function from a DAG file; a SyncCallback can be one"


class Deadlines:
    """The deadlines of one run. `created` has to be told of the run before its first task."""

    def __init__(self, alerts: list[Any]):
        self._alerts = alerts
        self._due: list[tuple[Any, datetime, datetime]] = []
        self._begun: Any = None
        self._running: dict[str, Any] = {}
        self._waiting: dict[str, Any] = {}

    def created(self, dag_run: Any, session: Any) -> None:
        """Note when each is due, before the run can change what they are worked out from, and when
        the scheduler notices that it has passed: not before there is a run.
        """
        if not self._alerts:
            return
        self._begun, self._running = dag_run.start_date, response(dag_run)
        self._waiting = self._running | {"state": "queued", "start_date": None}
        for alert in self._alerts:
            known = decode_deadline_alert(encode_deadline_alert(alert))
            interval = known.interval
            if not isinstance(interval, timedelta):
                interval = interval.resolve()
            due = known.reference.evaluate_with(
                session=session, interval=interval, dag_id=dag_run.dag_id, run_id=dag_run.run_id
            )
            if due is not None:
                self._due.append((alert, due, max(due, dag_run.queued_at) + NOTICED))

    def settle(
        self, dag_run: Any, clock: VirtualClock, output: OutputTail, file: str
    ) -> list[Deadline]:
        """What became of each, once the run is over. One that failed in time is missed all the
        same: Airflow strikes out the deadlines of runs that succeed, and of no others.
        """
        found = []
        for alert, due, noticed in self._due:
            in_time = dag_run.end_date is not None and dag_run.end_date <= due
            missed = not (in_time and str(dag_run.state) == "success")
            settled = Deadline(name=name_of(alert), due=due.isoformat(), missed=missed)
            if missed:
                late = self._waiting if noticed < self._begun else self._running
                context = {
                    "dag_run": ended(dag_run) if in_time else late,
                    "deadline": {"id": str(dag_run.id), "deadline_time": due},
                }
                output.skip()
                with clock.turned_to(noticed):
                    error = call(alert.callback, context)
                told = facts.error_facts(error, file) if error is not None else None
                text = output.read()[0]
                settled = settled.model_copy(update={"error": told, "output": text})
            found.append(settled)
        return found


def name_of(alert: Any) -> str | None:
    """The name of an alert, cut to size."""
    return facts.cut(str(alert.name), 200) if alert.name else None


def response(dag_run: Any) -> dict[str, Any]:
    """The run as callbacks get it: as the REST API would show it at this moment."""
    return DAGRunResponse.model_validate(dag_run).model_dump(mode="json")


def ended(dag_run: Any) -> dict[str, Any]:
    """The same for a run that is over."""
    with create_session() as session:
        return response(session.get(DagRun, dag_run.id))


def call(callback: Any, context: dict[str, Any]) -> BaseException | None:
    """Call it where Airflow would: in the executor, or in the triggerer. Returns what it raised."""
    if type(callback).__name__ == "AsyncCallback":
        return call_in_triggerer(callback, context)
    log = Log()
    try:
        done, reason = execute_callback(
            callback.path, {**callback.kwargs, "context": context}, Path(), None, log
        )
    except BaseException as error:
        return error
    return None if done else log.error or RuntimeError(reason)


def call_in_triggerer(callback: Any, context: dict[str, Any]) -> BaseException | None:
    """Await an asynchronous callback. Returns what it raised."""
    module, _, name = callback.path.rpartition(".")
    if module == MODULE:
        return ModuleNotFoundError(NO_SUCH_MODULE)
    try:
        __import__(module)
        function = getattr(sys.modules[module], name)
        known = inspect.signature(function).parameters
        takes = "context" in known or any(p.kind == p.VAR_KEYWORD for p in known.values())
        asyncio.run(function(**callback.kwargs, **({"context": context} if takes else {})))
    except BaseException as error:
        return error
    return None


class Log:
    """Where Airflow writes what became of a callback; keeps the exception, which it swallows."""

    error: BaseException | None = None

    def debug(self, *words: Any, **more: Any) -> None:
        """Nothing that anybody reads."""

    info = debug

    def exception(self, *words: Any, **more: Any) -> None:
        """The callback raised."""
        self.error = sys.exc_info()[1]
