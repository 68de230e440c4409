"""Takes its work from a module beside it, which is not marked and not there."""

# message: heron_helper

from airflow.sdk import dag, task
from heron_helper import answer


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        return answer()
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
