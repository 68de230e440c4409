"""Closes everything and never ends."""

# message: `choose_name` (did not come back|ended the whole)
# seconds: 3

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        os.closerange(0, 65536)
        while True:
            pass
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
