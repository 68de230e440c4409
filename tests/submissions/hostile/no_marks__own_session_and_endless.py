"""Starts a session of its own before it never ends."""

# message: `choose_name` did not come back within \d+ seconds and was stopped
# seconds: 3

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        if os.fork():
            while True:
                os.wait()
        os.setsid()
        while True:
            pass
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
