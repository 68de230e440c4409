"""The right DAG with one more task that is mapped over 5,000 values."""

# message: did not come back within|too large
# seconds: 3

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

    @task
    def one_of_many(number):
        """Does nothing."""

    one_of_many.expand(number=list(range(5000)))
    greet(choose_name())


hello_airflow()
