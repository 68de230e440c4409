"""A sensor that comes back for a second look, and a task that is deferred."""

import hashlib
import tempfile
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, tags=["stack"])
def waits_for_it():
    # Not often: a task that is back in the queue before the executor has said that its last look
    # ended is taken for killed.
    @task.sensor(poke_interval=8, mode="reschedule", timeout=60)
    def is_there() -> bool:
        run = hashlib.sha256(get_current_context()["run_id"].encode()).hexdigest()
        seen = Path(tempfile.gettempdir(), f"waits_for_it-{run[:16]}")
        if seen.exists():
            seen.unlink()
            return True
        seen.touch()
        return False

    deferred = TimeDeltaSensor(task_id="deferred", delta=timedelta(seconds=20), deferrable=True)
    is_there() >> deferred


waits_for_it()
