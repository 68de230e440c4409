"""Writes into a file that has no name any more (at most 1 GiB)."""

# message: File too large|MiB of files

import os
import tempfile

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        with tempfile.TemporaryFile() as file:
            for _ in range(1024):
                file.write(b"x" * 2**20)
                file.flush()
                os.sched_yield()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
