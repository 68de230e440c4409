"""Takes memory and uses it, 64 MiB at a time."""

# message: `choose_name` (used more than \d+ MiB of memory|did not come back)
# seconds: 3

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        taken = []
        while len(taken) < 160:
            try:
                taken.append(b"x" * 2**26)
            except MemoryError:
                continue
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
