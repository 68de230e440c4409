"""A wrong DAG that returns from a task in two processes, so that everything is told twice."""

import os
import pathlib

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        if not os.fork():
            pathlib.Path(PLAYGROUND, f"pid-{os.getpid()}").touch()
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
