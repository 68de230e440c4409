"""A right DAG that writes into the course, the Python packages and somebody's folder."""

import pathlib
import site

from airflow.sdk import dag, task


def try_it():
    """Leave a file, and take it away again."""
    for place in (*site.getsitepackages(), "@ROOT@", "@ROOT@/grader", "@NEIGHBOUR@"):
        file = pathlib.Path(place, "heron-was-here.txt")
        try:
            file.write_text("heron")
        except OSError:
            continue
        file.unlink()
        raise RuntimeError(f"it worked: {place}")


try_it()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
