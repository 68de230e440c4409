"""A right DAG that moves HOME, AIRFLOW_HOME and TMPDIR."""

import os

from airflow.sdk import dag, task

os.environ.update(HOME="/nowhere", AIRFLOW_HOME="/nowhere/airflow", TMPDIR="/nowhere", PATH="")


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
