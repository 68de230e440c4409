"""A DAG that the worker runs once before any learner's: what happens to tasks happens to one here.

It is no exercise and must stay small; each kind of task in it is one that the course uses.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, get_current_context, task


@dag(
    dag_id="rehearsal",
    schedule="@daily",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    tags=["rehearsal"],
)
def rehearsal() -> None:
    """Choose a way, say something on it, end at the second try."""

    @task.branch
    def choose() -> str:
        return "say"

    @task.bash
    def say() -> str:
        return "echo rehearsal"

    @task
    def keep_quiet() -> None:
        """The way that is not taken."""

    @task(retries=1, retry_delay=timedelta(0))
    def end(text: str) -> dict[str, str]:
        if get_current_context()["ti"].try_number == 1:
            raise RuntimeError("tried once more")
        return {"text": text}

    said = say()
    choose() >> [said, keep_quiet()]
    end(said)  # type: ignore[arg-type]


rehearsal()
