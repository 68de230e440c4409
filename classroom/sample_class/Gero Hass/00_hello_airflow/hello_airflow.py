"""Leaves with exit status 0 before the DAG exists."""

# message: Loading the file ended the whole Python process

import os

from airflow.sdk import dag, task

os._exit(0)


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
