"""One mail about a failure, to the right person, in HTML that takes a parser for ever."""

# part: 05_email_alerts
# message: Mails to `alerts@example.com`|there came

import os
import smtplib
from urllib.parse import urlsplit

from airflow.sdk import dag, task

PIECES = ("<![CDATA[\r\n", "<!--\r\n", "</a\r\n", "<a b\r\n", '<a b="\r\n', "<? \r\n", "&#\r\n")


@dag(dag_id="churn_report_pipeline", schedule=None)
def churn_report_pipeline():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def fetch_scores():
        """Fail, in HTML."""
        place = urlsplit(os.environ["AIRFLOW_CONN_SMTP_DEFAULT"])
        with smtplib.SMTP(place.hostname, place.port, timeout=5) as inbox:
            for piece in PIECES:
                text = "Content-Type: text/html\r\n\r\n" + piece * 20_000
                inbox.sendmail("airflow@example.com", "alerts@example.com", text)
        raise ValueError("written")

    fetch_scores()


churn_report_pipeline()
