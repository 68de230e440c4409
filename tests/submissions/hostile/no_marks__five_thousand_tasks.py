"""The right DAG with 5,000 more tasks."""

# message: The DAG is too large: the limit is 500 tasks

from airflow.providers.standard.operators.empty import EmptyOperator
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
    for number in range(5000):
        EmptyOperator(task_id=f"one_of_many_{number}")


hello_airflow()
