"""A right DAG that also pushes a list nested 200 deep."""

from airflow.sdk import dag, task

DEEP = []
for _ in range(200):
    DEEP = [DEEP]


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        from airflow.sdk import get_current_context

        get_current_context()["ti"].xcom_push(key="extra", value=DEEP)
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
