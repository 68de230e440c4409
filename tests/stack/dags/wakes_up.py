"""Runs when the asset of `short_success` was updated."""

from airflow.sdk import Asset, dag, task


@dag(schedule=[Asset("stack_ledger")], tags=["stack"])
def wakes_up():
    @task
    def read() -> None:
        pass

    read()


wakes_up()
