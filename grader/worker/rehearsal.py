"""A DAG of three tasks that the worker runs once before any learner's: function, branch, shell.

It is no exercise and must stay small; each kind of task in it is one that the course uses.
"""

from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(dag_id="rehearsal", schedule="@daily", start_date=datetime(2024, 1, 1, tzinfo=UTC))
def rehearsal() -> None:
    """Choose, say, end."""

    @task.branch
    def choose() -> str:
        return "say"

    @task.bash
    def say() -> str:
        return "echo rehearsal"

    @task
    def end(text: str) -> dict[str, str]:
        return {"text": text}

    said = say()
    choose() >> said
    end(said)  # type: ignore[arg-type]


rehearsal()
