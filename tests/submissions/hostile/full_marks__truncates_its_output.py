"""A right DAG that cuts off what was printed so far."""

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        print("soon forgotten", flush=True)
        os.ftruncate(1, 0)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
