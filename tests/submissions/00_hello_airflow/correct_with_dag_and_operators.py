"""Correct, written differently: `with DAG`, classic operators, a `Param`, an explicit order."""

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Param


def _choose_name(**context) -> str:
    return context["params"]["name"]


def _greet(name: str) -> str:
    return "Hello, {}!".format(name)  # noqa: UP032


with DAG(
    dag_id="hello_airflow",
    schedule=None,
    params={"name": Param("Heron Mobile", type="string", description="Who is greeted")},
):
    choose_name = PythonOperator(task_id="choose_name", python_callable=_choose_name)
    greet = PythonOperator(
        task_id="greet", python_callable=_greet, op_kwargs={"name": choose_name.output}
    )
    choose_name >> greet
