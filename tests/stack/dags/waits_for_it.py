"""A sensor that comes back later, and a task that is deferred."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, tags=["stack"])
def waits_for_it():
    # Not often: a task that is back in the queue before the executor has said that its last look
    # ended is taken for killed.
    @task.sensor(poke_interval=8, mode="reschedule", timeout=60)
    def is_there() -> bool:
        started = get_current_context()["dag_run"].start_date
        return datetime.now(UTC) - started > timedelta(seconds=5)

    deferred = TimeDeltaSensor(task_id="deferred", delta=timedelta(seconds=20), deferrable=True)
    is_there() >> deferred


waits_for_it()
