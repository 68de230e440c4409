"""Part 00: your first DAG.

What to edit: the three places marked `TODO`, and nothing else. The lesson is `README.md` in this
folder; its sections have the same numbers.

Done looks like this: started with the name Ada, `choose_name` returns "Ada" and `greet` returns
"Hello, Ada!". Started without a name, the default in `params` is greeted.
"""

from airflow.sdk import dag, task


@dag(
    dag_id="hello_airflow",
    schedule=None,  # never on its own: it runs when a person starts it
    params={"name": "Heron Mobile"},  # the one thing that a person may set, with its default
    tags=["heron", "hello"],
)
def hello_airflow() -> None:
    """Say hello to whoever was named when the run was started."""

    @task
    def choose_name(params: dict[str, str]) -> str:
        """Return the name that this run greets, for example "Ada".

        Airflow sees that the argument is called `params` and fills it in: what this run was
        started with, and the default of the DAG for the rest.
        """
        # --- TODO 1: read the name ---
        return params["name"]
        # --- end of TODO 1 ---

    @task
    def greet(name: str -> str:
        """Return the greeting, for example "Hello, Ada!" for the name "Ada"."""
        # --- TODO 2: build the greeting ---
        return f"Hello, {name}!
        # --- end of TODO 2 ---

    # --- TODO 3: connect the two tasks ---
    greet(choose_name())
    # --- end of TODO 3 ---


hello_airflow()
