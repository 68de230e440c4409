"""A scheduled run, so that delays of schedules are measured."""

from airflow.sdk import dag, task


@dag(schedule="* * * * *", tags=["stack"], max_active_runs=1)
def every_minute():
    @task
    def tick() -> None:
        pass

    tick()


every_minute()
