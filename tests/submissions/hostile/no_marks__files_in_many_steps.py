"""Fills its folder with files each of which is small enough."""

# message: `choose_name` used more than \d+ MiB of files

import pathlib

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        for number in range(1024):
            pathlib.Path(f"part-{number}").write_bytes(b"x" * 2**20)
        while True:
            pass
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
