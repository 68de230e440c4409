"""Makes 200,000 empty files."""

# message: `choose_name` (did not come back within|used more than)
# seconds: 3

import pathlib
import tempfile

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="heron-hostile-"))
        for number in range(200_000):
            (folder / str(number)).touch()
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
