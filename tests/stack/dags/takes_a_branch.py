"""A branch of which one way is skipped, and a task that skips itself."""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException


@dag(schedule=None, tags=["stack"])
def takes_a_branch():
    @task.branch
    def choose() -> str:
        return "left"

    @task
    def left() -> None:
        raise AirflowSkipException("nothing to do")

    @task
    def right() -> None:
        pass

    choose() >> [left(), right()]


takes_a_branch()
