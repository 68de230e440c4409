"""Correct, written differently: `conf` first, the default of the DAG where it is empty."""

from airflow.sdk import dag, task

DEFAULT = "Heron Mobile"


@dag(dag_id="hello_airflow", schedule=None, params={"name": DEFAULT})
def build():
    """The function may have any name; the `dag_id` counts."""

    @task
    def choose_name(dag_run=None) -> str:
        """What was typed, or the default."""
        return (dag_run.conf or {}).get("name", DEFAULT)

    @task
    def greet(who: str) -> str:
        """Greet."""
        return f"Hello, {who}!"

    name = choose_name()
    greet(who=name).set_upstream(name)


build()
