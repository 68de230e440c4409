"""A right DAG that fails if it can find an expected value, a check or a verdict in its process."""

import gc
import sys

from airflow.sdk import dag, task

FORBIDDEN = ("grader.checks", "grader.judge", "grader.report", "grader.api", "solutions.")


def things_that_give_it_away():
    """Modules, frames and objects of this process that belong to judging."""
    gc.unfreeze()
    found = [name for name in sys.modules if name.startswith(FORBIDDEN)]
    frame = sys._getframe()
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name.startswith(FORBIDDEN) or "expected" in frame.f_locals:
            found.append(f"frame of {name}")
        frame = frame.f_back
    for thing in gc.get_objects():
        if type(thing).__name__ in ("NotPassed", "CheckMark", "CheckResult", "Observation"):
            found.append(type(thing).__name__)
        elif type(thing).__name__ == "function" and str(thing.__module__).startswith(FORBIDDEN):
            found.append(f"function {thing.__qualname__}")
    return found


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        found = things_that_give_it_away()
        if found:
            raise RuntimeError(f"FOUND {sorted(set(found))[:5]}")
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
