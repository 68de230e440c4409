"""The weekly churn report of Heron Mobile, with a mail to the person on call when it fails.

Edit the five TODO regions, in the order of their numbers, and nothing outside them. TODO 1 stands
below 2 and 3, in the arguments of `@dag`. The lesson is README.md in this folder; its headings
carry the same numbers.

    fetch_scores -> check_scores -> write_report -> mail_report

Done: `make grade PART=05` shows full marks. A task that has failed for good sends one mail to
`ON_CALL`, a task that will be tried again sends none, and the report goes to `SHOP_TEAM`.
"""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

DATA = Path(__file__).parent / "data"
WORK = Path(tempfile.gettempdir(), "heron/churn_report_pipeline")
LIKELY_TO_LEAVE = 0.8

SENDER = "airflow@example.com"
ON_CALL = "alerts@example.com"
SHOP_TEAM = "shops@example.com"


# Plain Python, finished. No line of it knows that Airflow exists, except `run_folder`.


def run_folder() -> Path:
    """The folder for the files of the current run. Call it inside a task."""
    run_id = re.sub(r"[^A-Za-z0-9_-]", "_", get_current_context()["run_id"])
    folder = WORK / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ask_scoring_service(target: Path) -> None:
    """Write the newest scores to `target`; wait as long as the service takes to answer.

    Raises `ConnectionError` while the service is closed. What it does is in `service.json`.
    """
    service = json.loads((DATA / "service.json").read_text(encoding="utf-8"))
    until = service["closed_until"]
    if until and datetime.now(UTC) < datetime.fromisoformat(until):
        raise ConnectionError(f"the scoring service is closed until {until}")
    time.sleep(service["answers_after_seconds"])
    shutil.copy(DATA / "scores.csv", target)


def read_scores(path: str) -> list[dict[str, str]]:
    """Return one row per customer: customer_id, shop_id, score. Every cell is text."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def first_problem(rows: list[dict[str, str]]) -> str | None:
    """Return a sentence about the first score that is no number from 0 to 1, or None."""
    for number, row in enumerate(rows, start=2):
        if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", row["score"]):
            return f"line {number} of the scores: {row['customer_id']} has the score {row['score']}"
    return None


def count_by_shop(rows: list[dict[str, str]]) -> dict[str, int]:
    """Return how many customers are likely to leave, by the name of their shop."""
    shops = json.loads((DATA / "shops.json").read_text(encoding="utf-8"))
    counts = dict.fromkeys(shops.values(), 0)
    for row in rows:
        counts[shops[row["shop_id"]]] += float(row["score"]) >= LIKELY_TO_LEAVE
    return counts


def as_html(counts: dict[str, int]) -> str:
    """Return the report as an HTML table, one line per shop."""
    lines = [f"<tr><td>{html.escape(s)}</td><td>{n}</td></tr>" for s, n in counts.items()]
    return "<table>\n" + "\n".join(lines) + "\n</table>\n"


# --- TODO 2: say in the subject what failed ---
SUBJECT = "failed: {{ ti.task_id }} of {{ dag.dag_id }}"
# --- end of TODO 2 ---


# --- TODO 3: say in the body what somebody on call needs ---
BODY = """
<p>{{ ti.task_id }} of {{ dag.dag_id }} failed.
It was try {{ ti.try_number }} of {{ ti.max_tries + 1 }}.</p>
<pre>{{ exception | e }}</pre>
<p><a href="{{ ti.log_url }}">Read the log of this try</a></p>
"""
# --- end of TODO 3 ---


@dag(
    dag_id="churn_report_pipeline",
    description="Mail the shops how many of their customers are likely to leave",
    schedule="0 6 * * 1",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["churn", "report"],
    default_args={
        "owner": "data-team",
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        # --- TODO 1: mail when a task has failed ---
        "on_failure_callback": SmtpNotifier(
            from_email=SENDER,
            to=ON_CALL,
            subject=SUBJECT,
            html_content=BODY,
        ),
        # --- end of TODO 1 ---
    },
)
def churn_report_pipeline() -> None:
    """Fetch, check, write, mail: each task takes what the one before returned."""
    mail_report(write_report(check_scores(fetch_scores())))


# --- TODO 4: give up on a task that hangs ---
@task(execution_timeout=timedelta(minutes=10))
# --- end of TODO 4 ---
def fetch_scores() -> str:
    """Return the path of this week's scores. A closed service may be open at the next try."""
    target = run_folder() / "scores.csv"
    ask_scoring_service(target)
    return str(target)


@task
def check_scores(path: str) -> str:
    """Return the path if every score is a number. No retry cures a wrong one: it fails at once."""
    problem = first_problem(read_scores(path))
    if problem:
        raise AirflowFailException(problem)
    return path


@task
def write_report(path: str) -> str:
    """Return the path of the report, an HTML file."""
    report = run_folder() / "report.html"
    report.write_text(as_html(count_by_shop(read_scores(path))), encoding="utf-8")
    return str(report)


# --- TODO 5: mail the report ---
@task
def mail_report(path: str) -> None:
    """Send the text of the report to `SHOP_TEAM`. What cannot be sent is a failed task."""
    with SmtpHook() as smtp:
        smtp.send_email_smtp(
            from_email=SENDER,
            to=SHOP_TEAM,
            subject="Customers who are likely to leave",
            html_content=Path(path).read_text(encoding="utf-8"),
        )


# --- end of TODO 5 ---


churn_report_pipeline()
