"""Runs one scenario in a forked process: loads the file, runs its DAGs, tells what happens.

Learner code runs here and nowhere else. It must not return to the code that forked it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from airflow.sdk import DAG

from grader.scenario import pauses
from grader.worker import facts
from grader.worker.clock import VirtualClock
from grader.worker.disguise import hide_modules
from grader.worker.interruptions import Interrupter
from grader.worker.job import Job, Turn
from grader.worker.load import load_dags, sync_to_database
from grader.worker.loading import LoadingWatch
from grader.worker.output import OutputTail
from grader.worker.runs import DAG_TEST, Runner
from grader.worker.tries import TryObserver

Emit = Callable[..., None]
MIB = 1024 * 1024
MOST_DAGS = 100


def observe(turn: Turn, emit: Emit, wait: Callable[[], None]) -> None:
    """Take the submission through a turn of the scenario. `wait` comes back when the keeper says
    so.
    """
    job = turn.job
    clock = VirtualClock(turn.start, DAG_TEST.__code__, next_due)
    if "statsd" in job.scenario.servers:
        send_metrics()
    file = str(job.folder / "part" / job.dag_file)
    output = OutputTail(turn.output)
    hide_modules()
    dags = load(turn, file, emit, output, clock)
    if not dags:
        return
    observer = TryObserver(emit, output, file, job.limits.xcom_mib * MIB)
    observer.install()
    if turn.beside:
        clock.before_waiting = lambda: hand_over(clock, emit, wait)
    runner = Runner(job, dags, clock, observer, output, emit)
    held: set[int] = set()
    for index in turn.runs:
        planned = job.scenario.runs[index]
        observer.around = interrupter(job, index, file, emit, held, wait)
        runner.run_planned(index, planned)
        if pauses(planned) and index not in held:  # the moment never came
            observer.around = contextlib.nullcontext
            runner.run_planned(index + 1, job.scenario.runs[index + 1])


def load(
    turn: Turn, file: str, emit: Emit, output: OutputTail, clock: VirtualClock
) -> dict[str, DAG]:
    """Load the file and describe its DAGs; none if there is nothing to run."""
    job, slept = turn.job, clock.slept
    watch = LoadingWatch(str(job.folder))
    try:
        with watch.listening():
            dags = dict(islice(load_dags(Path(file)).items(), MOST_DAGS))
    except BaseException as error:
        emit("import_error", error=facts.error_facts(error, file).model_dump())
        emit("load_output", text=output.read()[0])
        return {}
    emit("load_output", text=output.read()[0])
    count = sum(len(dag.tasks) for dag in dags.values())
    if count > job.limits.tasks:
        emit("too_many_tasks", count=count)
        return {}
    if turn.number == 0:
        emit(
            "loaded",
            dag_ids=list(dags),
            dags=[facts.dag_facts(dag, file).model_dump() for dag in dags.values()],
            slept=round(clock.slept - slept, 1),
            touched=watch.touched,
        )
    if not job.several_dags and set(dags) != {job.dag_id}:
        return {}
    try:
        if turn.runs:
            sync_to_database(dags, Path(file).parent)
    except BaseException as error:
        emit("import_error", error=facts.error_facts(error, file).model_dump())
        return {}
    return dags


def interrupter(
    job: Job, index: int, file: str, emit: Emit, held: set[int], wait: Callable[[], None]
) -> Callable[[], AbstractContextManager[None]]:
    """What is around each try of a run: nothing, or a watch for the moment to interrupt it."""
    plan = job.scenario.runs[index].interruption
    if plan is None:
        return contextlib.nullcontext

    def act() -> None:
        held.add(index)
        emit("interrupted", index=index, how=plan.kind)
        if plan.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        wait()

    def lost() -> None:
        emit("watch_lost")

    return Interrupter(file, job.folder / "work", plan, act, lost).watching


def hand_over(clock: VirtualClock, emit: Emit, wait: Callable[[], None]) -> None:
    """Let the run that is held go on, now that this one has to wait for a retry."""
    clock.before_waiting = lambda: None
    emit("waits")
    wait()


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
