"""Runs one scenario in a forked process: loads the file, runs `DAG.test`, tells what happens.

Learner code runs here and nowhere else. It must not return to the code that forked it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from airflow.sdk import DAG

from grader.scenario import PlannedRun
from grader.worker import facts
from grader.worker.clock import VirtualClock
from grader.worker.disguise import hide_modules
from grader.worker.job import Job
from grader.worker.load import load_dags, sync_to_database
from grader.worker.output import OutputTail
from grader.worker.tries import TryObserver

Emit = Callable[..., None]
DAG_TEST = DAG.test
MIB = 1024 * 1024


def observe(job: Job, emit: Emit) -> None:
    """Take the submission through the scenario."""
    clock = VirtualClock(job.scenario.start, DAG_TEST.__code__, next_due)
    if "statsd" in job.scenario.servers:
        send_metrics()
    file = str(job.folder / "part" / job.dag_file)
    output = OutputTail(job.folder / "output.txt")
    hide_modules()
    dag = load(job, file, emit, output)
    if dag is None:
        return
    observer = TryObserver(emit, output, file, job.limits.xcom_mib * MIB)
    observer.install()
    for index, planned in enumerate(job.scenario.runs):
        clock.move_to(planned.logical_date)
        observer.run_index = index
        run(dag, index, planned, emit, file)


def load(job: Job, file: str, emit: Emit, output: OutputTail) -> DAG | None:
    """Load the file and describe its DAG; None if there is nothing to run."""
    try:
        dags = load_dags(Path(file))
    except BaseException as error:
        emit("import_error", error=facts.error_facts(error, file).model_dump())
        emit("load_output", text=output.read()[0])
        return None
    emit("load_output", text=output.read()[0])
    ids = [facts.cut(str(i), 250) for i in dags]
    dag = dags.get(job.dag_id)
    if dag is not None and len(dag.tasks) > job.limits.tasks:
        emit("too_many_tasks", count=len(dag.tasks))
        return None
    emit(
        "loaded",
        dag_ids=ids[:20],
        dag=facts.dag_facts(dag, file).model_dump() if dag is not None else None,
    )
    if dag is None or len(dags) > 1:
        return None
    sync_to_database({job.dag_id: dag}, Path(file).parent)
    return dag


def run(dag: DAG, index: int, planned: PlannedRun, emit: Emit, file: str) -> None:
    """One DAG run through the real `DAG.test`, whatever the name points to by now.

    Airflow writes a run's `conf` into the DAG's own params, so the next run gets fresh ones.
    """
    date = planned.logical_date.isoformat()
    kept = [(owner, copy.deepcopy(owner.params)) for owner in (dag, *dag.tasks)]
    emit("run_started", run=index, logical_date=date, conf=planned.conf)
    try:
        dag_run = DAG_TEST(
            dag,
            logical_date=planned.logical_date,
            run_after=planned.logical_date,
            run_conf=dict(planned.conf),
        )
        instances = [
            {
                "task_id": str(ti.task_id),
                "map_index": int(ti.map_index),
                "state": str(getattr(ti.state, "value", ti.state) or "none"),
                "try_number": int(ti.try_number),
            }
            for ti in dag_run.get_task_instances()
        ]
        state = str(getattr(dag_run.state, "value", dag_run.state))
        emit("run_ended", run=index, state=state, instances=instances)
    except BaseException as error:
        emit("run_broke", run=index, error=facts.error_facts(error, file).model_dump())
    finally:
        for owner, params in kept:
            owner.params = params


def next_due(frame: FrameType) -> datetime | None:
    """When the next task of the run in `DAG.test`'s frame may be tried again."""
    due = []
    dag: Any = frame.f_locals.get("scheduler_dag")
    for ti in frame.f_locals.get("ids_unrunnable", ()):
        if ti.state == "up_for_retry":
            ti.task = dag.get_task(ti.task_id)
            due.append(ti.next_retry_datetime())
        elif ti.state == "up_for_reschedule":
            due.append(reschedule_date(ti))
    return min((d for d in due if d is not None), default=None)


def reschedule_date(ti: Any) -> datetime | None:
    """When a rescheduled sensor pokes next."""
    from airflow.models.taskreschedule import TaskReschedule
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = (
        select(TaskReschedule.reschedule_date)
        .where(TaskReschedule.ti_id == ti.id)
        .order_by(TaskReschedule.id.desc())
        .limit(1)
    )
    with create_session() as session:
        return session.scalar(query)


def send_metrics() -> None:
    """Point Airflow's metrics at the scenario's StatsD socket, as its environment says.

    Both the Task SDK and the core have a `stats` module of their own. The client's timer keeps a
    clock of its own, which may have been taken before time became virtual.
    """
    from airflow._shared.observability.metrics import stats as shared
    from airflow.configuration import conf
    from airflow.observability import stats as core
    from airflow.observability.metrics import stats_utils
    from airflow.sdk.observability import stats as sdk
    from statsd.client import timer  # type: ignore[import-untyped]

    timer.time_now = time.perf_counter
    for module in {id(m): m for m in (shared, core, sdk)}.values():
        module.initialize(
            factory=stats_utils.get_stats_factory(),
            export_legacy_names=conf.getboolean("metrics", "legacy_names_on"),
        )
