"""A right DAG that kills a process which is not below the grader."""

import os
import signal

from airflow.sdk import dag, task


def try_it():
    """By its number, and by looking for it among all."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline") as line:
                found = "@MARK@" in line.read()
        except OSError:
            continue
        if found:
            os.kill(int(number), signal.SIGKILL)
            raise RuntimeError("it worked: found and killed")
    try:
        os.kill(int("@PID@"), signal.SIGKILL)
    except OSError:
        return
    raise RuntimeError("it worked: killed")


try_it()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
