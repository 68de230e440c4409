"""A wrong DAG; a process that left the session rewrites result files for a minute."""

import json
import os
import pathlib
import time

from airflow.sdk import dag, task

PLAYGROUND = "@PLAYGROUND@"  # the test puts its own folder here


def rewrite_results():
    """Twice forked, in a session of its own, so that no parent can wait for it."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    playground = pathlib.Path(PLAYGROUND)
    (playground / f"pid-{os.getpid()}").touch()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in playground.rglob("*.json"):
            path.write_text(json.dumps({"points": 1000, "exit_code": 0}))
        (playground / "heartbeat").write_text(str(os.getpid()))
        os.sched_yield()
    os._exit(0)


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        rewrite_results()
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
