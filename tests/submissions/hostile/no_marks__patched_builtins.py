"""Makes `isinstance`, `len` and `all` agree with everything."""

# message: .

import builtins

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        builtins.isinstance = lambda thing, kind: True
        builtins.all = lambda things: True
        builtins.any = lambda things: False
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
