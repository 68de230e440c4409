"""A file without a DAG, although it speaks of airflow and dag."""

# message: no DAG

from airflow.sdk import task


@task
def choose_name(params):
    """Never in a DAG."""
    return params["name"]
