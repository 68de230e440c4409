"""Writes into its scratch folder until there is no room (at most 1 GiB)."""

# message: `choose_name` used more than \d+ MiB of files

import tempfile

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        with tempfile.NamedTemporaryFile(prefix="heron-hostile-", delete=False) as file:
            for _ in range(1024):
                try:
                    file.write(b"x" * 2**20)
                    file.flush()
                except OSError:
                    break
        while True:
            pass
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
