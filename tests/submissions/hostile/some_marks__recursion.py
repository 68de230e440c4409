"""Calls itself until the interpreter stops it."""

# message: RecursionError|recursion

from airflow.sdk import dag, task


def deeper():
    """Never comes back."""
    return deeper()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        deeper()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
