"""Asks pytest to end the session as a success."""

# message: The file does not load.*Loading it raised Exit

import pytest
from airflow.sdk import dag, task

pytest.exit("all good", returncode=0)


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
