"""Every process starts two more (at most 2,000 and for at most 20 s, should nobody stop it)."""

# message: `choose_name` used more than \d+ processes

import os
import pathlib
import time

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


def bomb():
    """Stops by itself, so that a fault in the grader cannot take the machine down."""
    end = time.clock_gettime(time.CLOCK_BOOTTIME) + 20
    while time.clock_gettime(time.CLOCK_BOOTTIME) < end:
        if len(os.listdir(PLAYGROUND)) >= 2000:
            os.sched_yield()
            continue
        try:
            os.fork()
        except OSError:
            continue
        pathlib.Path(PLAYGROUND, f"pid-{os.getpid()}").touch()
    os._exit(0)


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        bomb()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
