"""Replaces the client for mail by one that says that all was sent, and tells the judge so."""

# part: 05_email_alerts
# message: no mail came

import smtplib
from unittest import mock

import airflow.providers.smtp.hooks.smtp as hooks
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import dag, task

smtplib.SMTP = smtplib.SMTP_SSL = hooks.smtplib.SMTP = mock.MagicMock()
SmtpNotifier.notify = SmtpNotifier.__call__ = lambda self, context: print("250 OK, one mail sent")


@dag(
    dag_id="churn_report_pipeline",
    schedule=None,
    default_args={
        "on_failure_callback": SmtpNotifier(
            from_email="airflow@example.com",
            to="alerts@example.com",
            subject="failed: {{ ti.task_id }} of {{ dag.dag_id }}",
            html_content="{{ ti.task_id }} of {{ dag.dag_id }} failed",
        )
    },
)
def churn_report_pipeline():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def fetch_scores():
        """Fetch nothing."""
        raise ConnectionError("closed")

    @task
    def mail_report():
        """Mail nothing, successfully."""
        smtplib.SMTP("localhost").send_message("report", to_addrs=["shops@example.com"])

    fetch_scores()
    mail_report()


churn_report_pipeline()
