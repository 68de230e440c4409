"""A wrong DAG that registers an exit with status 0."""

import atexit
import os

from airflow.sdk import dag, task

atexit.register(os._exit, 0)


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
