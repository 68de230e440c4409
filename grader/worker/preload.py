"""Pays for Airflow once: imports, a migrated SQLite template, the Execution API.

It must not load learner code. It happens before the first fork, so no thread may live on.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import os
import secrets
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from grader.worker import database

# What tasks and their shell commands say, but not what Airflow says about each step of a task.
LOG_LEVELS = "airflow=WARNING airflow.task=INFO airflow.task.operators=WARNING task=WARNING"


def template_key() -> str:
    """The template is good for one set of Airflow distributions on one Python."""
    installed = sorted(
        f"{d.name}=={d.version}"
        for d in importlib.metadata.distributions()
        if d.name.startswith("apache-airflow")
    )
    text = "\n".join([sys.version, *installed])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def set_environment(home: Path) -> None:
    """Airflow reads these when it is first imported, so this comes before any import of it."""
    folder = home / "empty_dags"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(folder),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__UNIT_TEST_MODE="False",
        AIRFLOW__CORE__FERNET_KEY="",
        AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
        AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(32),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home / database.NAME}",
        AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
        AIRFLOW__LOGGING__NAMESPACE_LEVELS=LOG_LEVELS,
        AIRFLOW__LOGGING__COLORED_CONSOLE_LOG="False",
        AIRFLOW__METRICS__LEGACY_NAMES_ON="False",
        AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED="True",
        NO_COLOR="1",
        TZ="UTC",
    )
    time.tzset()


def preload(root: Path) -> tuple[database.Database, dict[str, float]]:
    """Load all that every scenario needs. Returns the database and seconds by phase.

    Raises whatever Airflow raises where the installation is broken: the caller blames the
    environment.
    """
    timings: dict[str, float] = {}
    home = root / template_key()
    home.mkdir(parents=True, exist_ok=True)
    set_environment(home)
    warnings.simplefilter("ignore")
    gc.disable()
    started = time.perf_counter()

    def lap(phase: str) -> None:
        nonlocal started
        timings[phase] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()

    import airflow.dag_processing.dagbag
    import airflow.providers.standard.decorators.bash
    import airflow.providers.standard.decorators.branch_python
    import airflow.providers.standard.operators.bash
    import airflow.sdk.execution_time.supervisor
    import airflow.sdk.execution_time.task_runner  # noqa: F401

    lap("import airflow")
    import_child()
    metadata = database.Database(home)
    metadata.open()
    lap("metadata database")
    from grader.worker.execution_api import build_execution_api

    build_execution_api()
    lap("execution api")
    rehearse(home, metadata)
    lap("rehearsal")
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(timeout=5)
    if threading.active_count() != 1:
        raise RuntimeError(f"threads before the first fork: {threading.enumerate()}")
    gc.freeze()
    gc.enable()
    gc.set_threshold(200_000, 20, 20)  # a scenario is over before much garbage is made
    lap("ready to fork")
    return metadata, timings


def import_child() -> None:
    """Load the rest of the worker, without the pytest plugin that `time_machine` brings along."""
    sys.modules["pytest"] = None  # type: ignore[assignment]
    import grader.worker.child  # noqa: F401

    del sys.modules["pytest"]


def rehearse(home: Path, metadata: database.Database) -> None:
    """Run a small DAG once, so that no scenario pays for what only the first run pays."""
    from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor as Supervisor
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    from grader.worker.assets import events_of
    from grader.worker.load import load_dags, sync_to_database
    from grader.worker.tries import rendered_fields_of, xcoms_of

    file = Path(__file__).with_name("rehearsal.py")
    original = Supervisor._handle_socket_comms
    Supervisor._handle_socket_comms = listen_closely  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory(dir=home) as folder:
        metadata.use_copy(Path(folder) / database.NAME)
        dags = load_dags(file)
        sync_to_database(dags, file.parent)
        dag_run = dags["rehearsal"].test()
        events_of(dag_run.run_id, dag_run.dag_id)
        for ti in dag_run.get_task_instances():
            xcoms_of(ti)
            rendered_fields_of(ti)
        in_process_api_server().transport.close()
        metadata.close()
    Supervisor._handle_socket_comms = original  # type: ignore[method-assign]


def listen_closely(supervisor: Any) -> None:
    """Airflow's own, but noticing within 10 ms instead of a second that the task is over."""
    while supervisor._open_sockets:
        supervisor._service_subprocess(0.01)
