"""A right DAG that kills the process that would have made the marks (only the one of its test)."""

import os
import pathlib
import signal

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


def parent_of(pid):
    """The parent of another process, as the kernel tells it."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        judge = parent_of(parent_of(os.getppid()))
        if PLAYGROUND.encode() in pathlib.Path(f"/proc/{judge}/cmdline").read_bytes():
            os.kill(judge, signal.SIGKILL)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
