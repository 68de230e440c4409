"""More long tasks than the executor has slots, and more than one for a pool with one slot."""

import time

from airflow.sdk import dag, task

SECONDS = 240


@dag(schedule=None, tags=["stack"])
def wants_too_much():
    @task
    def hold(number: int) -> None:
        time.sleep(SECONDS)

    @task(pool="narrow")
    def squeeze(number: int) -> None:
        time.sleep(SECONDS)

    squeeze.expand(number=[1, 2])
    hold.expand(number=[1, 2, 3, 4])


wants_too_much()
