"""A right DAG that also writes garbage to every file descriptor."""

# message: `choose_name` interfered with what records the run

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        for descriptor in range(3, 1024):
            try:
                os.set_blocking(descriptor, False)
                os.write(descriptor, b"\x00\xff garbage without an end {\n[]\n")
            except OSError:
                continue
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
