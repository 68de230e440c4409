"""A right DAG that leaves folders too deep for any path, and for any recursion."""

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        start = os.getcwd()
        for _ in range(1500):
            os.mkdir("deeper")
            os.chdir("deeper")
        os.chdir(start)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
