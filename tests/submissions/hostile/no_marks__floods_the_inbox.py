"""A mail of 100 MB, a thousand mails, large ones, and as many recipients as a session takes."""

# part: 05_email_alerts
# slow
# message: `fetch_scores` failed, and the mail went to `someone@example.com`

import contextlib
import os
import smtplib
from urllib.parse import urlsplit

from airflow.sdk import dag, task


@dag(dag_id="churn_report_pipeline", schedule=None)
def churn_report_pipeline():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def fetch_scores():
        """Write to everybody."""
        place = urlsplit(os.environ["AIRFLOW_CONN_SMTP_DEFAULT"])
        with smtplib.SMTP(place.hostname, place.port, timeout=5) as inbox:
            line = "x" * 900 + "\r\n"
            for count, size in ((1000, 0), (60, 500), (1, 100_000)):
                text = "Subject: failed: fetch_scores\r\n\r\n" + line * size
                for _ in range(count):
                    with contextlib.suppress(smtplib.SMTPResponseException):
                        inbox.sendmail("airflow@example.com", "someone@example.com", text)
            many = [f"{number}@example.com" for number in range(2_000)]
            with contextlib.suppress(smtplib.SMTPException):
                inbox.sendmail("airflow@example.com", many, "Subject: failed\r\n\r\n")
        raise ValueError("flooded")

    fetch_scores()


churn_report_pipeline()
