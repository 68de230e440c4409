"""Mails with half a character, unknown alphabets, colours and broken HTML; sessions without end."""

# part: 05_email_alerts
# slow
# message: Mails to `alerts@example.com`|there came

import contextlib
import os
import smtplib
import socket
from urllib.parse import urlsplit

from airflow.sdk import dag, task

OPEN = []
FULL = b"<p>fetch_scores of churn_report_pipeline failed. try " + b"9" * 5000 + b" of 3</p>"
MAILS = (
    b"Subject: =?raw_unicode_escape?q?=5Cud800?=\r\n\r\n",
    b"Subject: =?utf-16-le?b?2AA=?=\r\n\r\n",
    b"Subject: =?rot13?q?a?= =?hex?b?a?=\r\n\r\n",
    b"Subject: [bold red]\x1b[31m\x07\xff\xe2\x80\xae failed\r\n\r\n",
    b"Content-Type: text/plain; charset=raw_unicode_escape\r\n\r\n\\ud800",
    b"Content-Type: text/plain; charset=hex\r\n\r\nzz",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 300,
    b"Content-Type: text/html\r\n\r\n<![x[ <!x <? &#9999999; <a href=\x1b[31m>",
    b"Subject: failed: fetch_scores of churn_report_pipeline\r\n\r\n" + FULL,
)


@dag(dag_id="churn_report_pipeline", schedule=None)
def churn_report_pipeline():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def fetch_scores():
        """Write to everybody."""
        place = urlsplit(os.environ["AIRFLOW_CONN_SMTP_DEFAULT"])
        for _ in range(50):
            with contextlib.suppress(OSError):
                client = socket.create_connection((place.hostname, place.port), timeout=2)
                client.sendall(b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nno end")
                OPEN.append(client)
        with smtplib.SMTP(place.hostname, place.port, timeout=5) as inbox:
            for mail in MAILS:
                with contextlib.suppress(smtplib.SMTPResponseException):
                    inbox.sendmail("airflow@example.com", "alerts@example.com", mail)
        with socket.create_connection((place.hostname, place.port), timeout=5) as client:
            client.sendall(b"EHLO me\r\nMAIL FROM:<\xff@b>\r\nRCPT TO:<\xfe\x1b[31m@b>\r\nDATA\r\n")
            client.recv(4096)
            client.sendall(b"Subject: x\r\n\r\n.\r\nQUIT\r\n")
            while client.recv(4096):
                pass
        raise ValueError("written")

    fetch_scores()


churn_report_pipeline()
