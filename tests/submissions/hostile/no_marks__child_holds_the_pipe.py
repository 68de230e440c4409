"""Leaves at once, but a child keeps every descriptor open and talks on."""

# message: `choose_name` (did not come back within|ended the whole)
# seconds: 3

import os
import pathlib

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        if os.fork():
            os._exit(0)
        os.setsid()
        pathlib.Path(PLAYGROUND, f"pid-{os.getpid()}").touch()
        while True:
            os.sched_yield()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
