"""A right DAG that kills the two processes above it."""

# message: ended the whole Python process

import os
import pathlib
import signal

from airflow.sdk import dag, task


def parent_of(pid):
    """The parent of another process, as the kernel tells it."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        parent = os.getppid()
        grandparent = parent_of(parent)
        os.kill(grandparent, signal.SIGKILL)
        os.kill(parent, signal.SIGKILL)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
