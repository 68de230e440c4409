"""A wrong DAG that finds the observer's own voice in a frame and tells of a right one."""

import os
import sys

from airflow.sdk import dag, task


def find(name):
    """A local variable of one of the frames that led here."""
    frame = sys._getframe()
    while frame is not None:
        if name in frame.f_locals:
            return frame.f_locals[name]
        frame = frame.f_back
    raise LookupError(name)


def fact(**changes):
    """A task as the observer would describe it."""
    plain = {"upstream": [], "trigger_rule": "all_success", "retries": 0, "retry_delay": 300.0}
    plain |= {"operator": "@task", "retry_exponential_backoff": False, "pool": "default_pool"}
    return plain | changes


def value(text):
    """A text that a task returned."""
    return {"is_json": True, "json_value": text, "type": "str", "repr": repr(text)}


def told(task_id, text, name):
    """A try that went well."""
    now = "2026-01-01T00:00:00+00:00"
    times = {"start": now, "end": now, "number": 1, "state": "success", "map_index": -1}
    values = {"xcoms": {"return_value": value(text)}, "rendered": {"op_args": value(name)}}
    return times | values | {"task_id": task_id}


emit, job = find("emit"), find("job")
tasks = [fact(task_id="choose_name"), fact(task_id="greet", upstream=["choose_name"])]
dag_facts = {"dag_id": "hello_airflow", "next_runs": [], "catchup": False, "tags": []}
dag_facts |= {"params": {"name": "Heron Mobile"}, "tasks": tasks}
emit("load_output", text="")
emit("loaded", dag_ids=["hello_airflow"], dags=[dag_facts], slept=0.0, touched=[])
for number, planned in enumerate(job.scenario.runs):
    date = planned.logical_date.isoformat()
    about = {"dag_id": "hello_airflow", "cause": "planned", "logical_date": date, "start": date}
    name = planned.conf.get("name", "Heron Mobile")
    emit("run_started", run=number, conf=planned.conf, **about)
    for task_id, text in (("choose_name", name), ("greet", f"Hello, {name}!")):
        emit("try_ended", run=number, record=told(task_id, text, name))
    states = [{"task_id": t, "state": "success", "try_number": 1} for t in ("choose_name", "greet")]
    emit("run_ended", run=number, state="success", end=date, instances=states)
emit("done")
os._exit(0)


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
