"""Correct, written differently: the current context, an XCom pulled by hand, `chain()`."""

from airflow.sdk import chain, dag, get_current_context, task


@task
def choose_name() -> str:
    """Look the name up in the context of the running task."""
    return get_current_context()["params"]["name"]


@task
def greet(ti=None) -> str:
    """Fetch the name instead of being handed it."""
    return "Hello, " + ti.xcom_pull(task_ids="choose_name") + "!"


@dag(schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """Order by `chain`, data by XCom."""
    chain(choose_name(), greet())


hello_airflow()
