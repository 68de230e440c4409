"""A right DAG that prints markup, escapes and bytes that are no text."""

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        print("[bold red]passed[/bold red] [/nothing] \x1b[2J\x1b[31m")
        os.write(1, b"\xff\xfe\x00 raw bytes \x1b[0m")
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
