"""A task that is tried twice and fails for good, and says so by mail."""

from datetime import timedelta

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import dag, task

MAIL = SmtpNotifier(
    from_email="airflow@heron.example",
    to="team@heron.example",
    subject="{{ dag.dag_id }}: {{ ti.task_id }} failed",
    html_content="{{ dag.dag_id }} {{ ti.task_id }} {{ ti.log_url }}",
)


@dag(schedule=None, tags=["stack"])
def fails_for_good():
    @task(retries=1, retry_delay=timedelta(seconds=6), on_failure_callback=[MAIL])
    def ship() -> None:
        raise ValueError("the truck did not come")

    ship()


fails_for_good()
