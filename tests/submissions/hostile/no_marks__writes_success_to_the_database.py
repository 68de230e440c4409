"""A failing task writes success for everything into the metadata database."""

import glob
import os
import sqlite3

from airflow.sdk import dag, task


def rewrite_history():
    """Every run and every task instance was a success."""
    places = [os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "").removeprefix("sqlite:///")]
    home = os.environ.get("AIRFLOW_HOME", ".")
    places += glob.glob(os.path.join(home, "**", "*.db"), recursive=True)
    for place in filter(os.path.isfile, places):
        with sqlite3.connect(place, timeout=1) as db:
            for table in ("dag_run", "task_instance"):
                db.execute(f"UPDATE {table} SET state = 'success'")


class Historian:
    """Rewrites history once more when the interpreter drops it."""

    def __del__(self):
        rewrite_history()


HISTORIAN = Historian()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def choose_name(params):
        """Return something else than the name."""
        try:
            rewrite_history()
        except sqlite3.Error as error:
            print(error)
        raise ValueError("this must not stay hidden")
        return "nobody in particular"

    @task
    def greet(name):
        """Greet nobody."""

    choose_name()
    greet("nobody")


hello_airflow()
