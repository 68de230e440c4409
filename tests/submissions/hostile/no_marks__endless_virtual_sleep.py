"""Sleeps for ever; the clock is virtual, so this costs no real time at all."""

# message: `choose_name` did not come back within \d+ seconds and was stopped
# seconds: 3

import time

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        while True:
            time.sleep(3600)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
