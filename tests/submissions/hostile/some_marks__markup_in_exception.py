"""Raises an exception full of markup, escapes and control characters."""

# message: ValueError

from airflow.sdk import dag, task


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        raise ValueError(
            "[bold red]100 %[/bold red] [link=file:///]x[/] "
            "\x1b[2J\x1b]0;passed\x07\r\x08 \u202e passed [/nothing]"
        )
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
