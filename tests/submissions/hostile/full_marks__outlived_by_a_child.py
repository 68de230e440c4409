"""A right DAG that leaves a forked child and a started program behind."""

import os
import pathlib
import subprocess

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        forked = os.fork()
        if not forked:
            pathlib.Path(PLAYGROUND, f"pid-{os.getpid()}").touch()
            while True:
                os.sched_yield()
        program = subprocess.Popen(["sleep", "97"], start_new_session=True)
        pathlib.Path(PLAYGROUND, f"pid-{program.pid}").touch()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
