"""A right DAG that sees who it is, and becomes somebody else."""

import os

from airflow.sdk import dag, task


def try_it():
    """The user who grades has this number; so has root."""
    if os.getuid() in (0, int("@UID@")):
        raise RuntimeError("it worked: it is the user who grades")
    try:
        os.setuid(0)
    except OSError:
        return
    raise RuntimeError("it worked: it is root")


try_it()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
