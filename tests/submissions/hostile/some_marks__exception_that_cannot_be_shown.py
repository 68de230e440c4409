"""Raises an exception whose text raises."""

# message: Unspeakable

from airflow.sdk import dag, task


class Unspeakable(Exception):
    """Nobody can say what it is."""

    def __str__(self):
        raise RuntimeError("not telling")

    __repr__ = __str__


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        raise Unspeakable
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
