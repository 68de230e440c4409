"""Hands over an object that no JSON can hold."""

# message: JSON|serializ|object

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        from airflow.sdk import get_current_context

        get_current_context()["ti"].xcom_push(key="extra", value=object())
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
