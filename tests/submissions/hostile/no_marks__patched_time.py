"""Stops the clock, for everybody."""

import time

from airflow.sdk import dag, task

time.time = lambda: 0.0
time.monotonic = lambda: 0.0
time.perf_counter = lambda: 0.0
time.sleep = lambda seconds: None


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
