"""Prints 100 MB."""

# message: used more than \d+ MiB of output

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        for _ in range(1000):
            print("all work and no play " * 5000)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
