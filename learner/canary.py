"""A small DAG that says whether this machine can run the course: data handed on, a retry, and six
hours that take no time. It is no exercise.

`make quickcheck` has it observed; nothing but Airflow may be imported here.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import dag, task


@dag(dag_id="canary", schedule="@daily", start_date=datetime(2024, 1, 1, tzinfo=UTC))
def canary() -> None:
    """Listen, sing."""

    @task(retries=1, retry_delay=timedelta(hours=6))
    def listen(ti: Any = None) -> list[int]:
        """Hear nothing at first."""
        if ti.try_number == 1:
            raise RuntimeError("not a sound")
        return [1, 2, 3]

    @task
    def sing(notes: list[int]) -> int:
        """Tell how much was heard."""
        return sum(notes)

    sing(listen())  # type: ignore[arg-type]


canary()
