"""A right DAG that reads what somebody else handed in."""

import pathlib

from airflow.sdk import dag, task


def try_it():
    """Read it, by the path that it has outside."""
    for path in pathlib.Path("@NEIGHBOUR@").rglob("*.py"):
        raise RuntimeError(f"it worked: {path.read_text()[:40]}")


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
