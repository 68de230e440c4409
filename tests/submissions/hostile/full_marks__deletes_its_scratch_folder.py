"""A right DAG that deletes the folder it may write to."""

import pathlib
import shutil

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        scratch = pathlib.Path.cwd().resolve()
        if len(scratch.parts) > 3:  # never /tmp itself
            shutil.rmtree(scratch, ignore_errors=True)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
