"""The right DAG and another one."""

# message: 2 DAGs

from airflow.sdk import dag, task


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


@dag(dag_id="another_one")
def another_one():
    """Not asked for."""

    @task
    def nothing():
        """Does nothing."""

    nothing()


another_one()
