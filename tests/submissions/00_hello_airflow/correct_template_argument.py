"""Correct, written differently: a template in the argument of the call, filled in by Airflow."""

from airflow.sdk import dag, task


@task
def choose_name(name: str) -> str:
    """The template has been filled in before the function is called."""
    return name


@task(task_id="greet")
def say_hello(name: str) -> str:
    """A function whose name is not the `task_id`."""
    return " ".join(["Hello,", name]) + "!"


@dag(schedule=None, params={"name": "Heron Mobile"}, catchup=False)
def hello_airflow():
    """Say hello."""
    say_hello(choose_name("{{ params.name }}"))


hello_airflow()
