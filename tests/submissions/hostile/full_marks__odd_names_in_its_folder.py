"""A right DAG that leaves files with names that are no text."""

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        for name in (b"\xff\xfe.txt", b"two\nlines.txt", b"-rf", b"\x1b[2J.txt"):
            with open(name, "wb") as file:
                file.write(b"\xff")
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
