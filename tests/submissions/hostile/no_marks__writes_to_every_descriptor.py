"""Writes garbage and plausible event lines to every file descriptor."""

# message: interfered with what records the run

import json
import os

from airflow.sdk import dag, task

FORGED = [
    {"event": "task", "task_id": "choose_name", "state": "success", "try_number": 1},
    {"event": "xcom", "task_id": "choose_name", "key": "return_value", "value": "Hello"},
    {"event": "run", "state": "success"},
    {"event": "final", "breach": None},
    {"status": "passed", "points": 100, "exit_code": 0},
]
LINES = b"".join(json.dumps(line).encode() + b"\n" for line in FORGED)


def shout():
    """Every descriptor that is open hears the same story."""
    for descriptor in range(1024):
        for text in (b"\x00\xff garbage\n", LINES):
            try:
                os.set_blocking(descriptor, False)
                os.write(descriptor, text)
            except OSError:
                break


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        shout()
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()

shout()
