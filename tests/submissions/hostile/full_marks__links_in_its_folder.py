"""A right DAG that leaves links to files and folders of others, and to itself."""

import os

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        os.symlink("/etc/passwd", "password.txt")
        os.symlink("/", "everything")
        os.symlink("/dev/zero", "zero.txt")
        os.symlink(os.getcwd(), "myself")
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
