"""Takes 10 GB of memory in twenty processes."""

# message: `choose_name` used more than \d+ MiB of memory

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
        for _ in range(20):
            if not os.fork():
                pathlib.Path(PLAYGROUND, f"pid-{os.getpid()}").touch()
                taken = [b"x" * 2**25 for _ in range(16)]
                while taken:
                    os.sched_yield()
        while True:
            os.sched_yield()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
