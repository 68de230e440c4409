"""Runs DAGs through the real `DAG.test`: those that are planned, and those that the scheduler would
start because an asset was updated. Tells how each ended and what it left.

It must not know what a run should have done.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from airflow.models import dagrun as dagrun_module
from airflow.sdk import DAG

from grader.scenario import PlannedRun
from grader.worker import facts
from grader.worker.assets import Consumers, events_of
from grader.worker.clock import VirtualClock
from grader.worker.deadlines import Deadlines
from grader.worker.job import MOST_STARTED, Job, run_key
from grader.worker.output import OutputTail
from grader.worker.tables import tables_of
from grader.worker.tries import TryObserver

DAG_TEST = DAG.test


class Runner:
    """Runs one file's DAGs, in one process."""

    def __init__(
        self,
        job: Job,
        dags: dict[str, DAG],
        clock: VirtualClock,
        observer: TryObserver,
        output: OutputTail,
        emit: Callable[..., None],
    ):
        self._job, self._dags, self._clock, self._emit = job, dags, clock, emit
        self._observer, self._output = observer, output
        self._file = str(job.folder / "part" / job.dag_file)
        self._consumers = Consumers(
            dag_id
            for dag_id, dag in dags.items()
            if getattr(dag.timetable, "asset_condition", None) is not None
        )
        self._create = dagrun_module.get_or_create_dagrun

    def run_planned(self, index: int, planned: PlannedRun) -> None:
        """One planned run, and all that follows from it."""
        self._clock.move_to(planned.begin)
        dag = self._dags.get(planned.dag_id or self._job.dag_id)
        if dag is None:
            return
        key, conf = run_key(index), dict(planned.conf)
        self._run(dag, key, planned.logical_date, conf, "planned", planned.queued)
        started = 0
        while due := self._consumers.due():
            for dag_id in due[: MOST_STARTED - started]:
                started += 1
                self._run(self._dags[dag_id], run_key(index, started), None, {}, "asset")
            if started >= MOST_STARTED:
                return

    def _run(
        self,
        dag: DAG,
        key: int,
        date: datetime | None,
        conf: dict[str, Any],
        cause: str,
        queued: datetime | None = None,
    ) -> None:
        """One run, whatever the name `DAG.test` points to by now.

        Airflow writes a run's `conf` into the DAG's own params, so the next run gets fresh ones.
        """
        begin = datetime.now(UTC)
        kept = [(owner, copy.deepcopy(owner.params)) for owner in (dag, *dag.tasks)]
        alerts, dag.deadline = facts.deadlines_of(dag), None
        deadlines = Deadlines(alerts)
        self._prepare(deadlines, cause, queued)
        self._observer.run_index = key
        self._emit(
            "run_started",
            run=key,
            dag_id=dag.dag_id,
            cause=cause,
            logical_date=date.isoformat() if date else None,
            start=begin.isoformat(),
            conf=conf,
        )
        after = date or begin
        try:
            dag_run = DAG_TEST(dag, logical_date=date, run_after=after, run_conf=conf)
            self._tell(key, dag_run, deadlines)
        except BaseException as error:
            told = facts.error_facts(error, self._file).model_dump()
            self._emit("run_broke", run=key, error=told)
        finally:
            dag.deadline = alerts or None
            for owner, params in kept:
                owner.params = params

    def _prepare(self, deadlines: Deadlines, cause: str, queued: datetime | None) -> None:
        """Have the run be as the scheduler would have made it, before its first task."""

        def get_or_create_dagrun(*, session: Any, **about: Any) -> Any:
            dag_run = self._create(session=session, **about)
            # `DAG.test` takes the logical date for the time at which a run starts.
            dag_run.start_date = datetime.now(UTC)
            dag_run.queued_at = queued or dag_run.start_date
            if cause == "asset":
                self._consumers.hand_over(dag_run.dag_id, dag_run, session)
            session.flush()
            deadlines.created(dag_run, session)
            session.commit()
            return dag_run

        dagrun_module.get_or_create_dagrun = get_or_create_dagrun

    def _tell(self, key: int, dag_run: Any, deadlines: Deadlines) -> None:
        """How a run ended and what it left."""
        self._emit(
            "run_ended",
            run=key,
            state=str(getattr(dag_run.state, "value", dag_run.state)),
            end=dag_run.end_date.isoformat() if dag_run.end_date else None,
            instances=[
                {
                    "task_id": str(ti.task_id),
                    "map_index": int(ti.map_index),
                    "state": str(getattr(ti.state, "value", ti.state) or "none"),
                    "try_number": int(ti.try_number),
                    "priority_weight": int(ti.priority_weight or 0),
                }
                for ti in dag_run.get_task_instances()
            ],
        )
        settled = deadlines.settle(dag_run, self._clock, self._output, self._file)
        work = self._job.folder / "work"
        databases = {name: tables_of(work / name) for name in self._job.scenario.databases}
        self._emit(
            "run_left",
            run=key,
            asset_events=[e.model_dump() for e in events_of(dag_run.run_id, dag_run.dag_id)],
            deadlines=[deadline.model_dump() for deadline in settled],
            databases={
                name: {t: table.model_dump() for t, table in tables.items()}
                for name, tables in databases.items()
            },
        )
