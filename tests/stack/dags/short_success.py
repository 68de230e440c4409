"""Two tasks that succeed; the run takes about five seconds. Its outlet is an asset."""

import time

from airflow.sdk import Asset, dag, task


@dag(schedule=None, tags=["stack"])
def short_success():
    @task
    def wait() -> int:
        time.sleep(4)
        return 4

    @task(outlets=[Asset("stack_ledger")])
    def report(seconds: int) -> str:
        return f"waited {seconds} s"

    report(wait())


short_success()
