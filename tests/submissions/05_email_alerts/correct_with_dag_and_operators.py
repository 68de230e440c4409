"""The weekly churn report of Heron Mobile, with operators and a notifier per task."""

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

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.providers.smtp.operators.smtp import EmailOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, get_current_context
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


def alarm(task_id: str) -> SmtpNotifier:
    """A notifier for one task, which knows its name before it fails."""
    return SmtpNotifier(
        from_email=SENDER,
        to=ON_CALL,
        subject=f"[Heron Mobile] {task_id} in {{{{ ti.dag_id }}}} has failed",
        html_content=f"""
            <h2>{task_id} ({{{{ run_id }}}}, {{{{ ti.dag_id }}}})</h2>
            <ul><li>try {{{{ ti.try_number }}}} of {{{{ task.retries + 1 }}}}</li>
            <li><code>{{{{ exception | string | escape }}}}</code></li></ul>
            <a href='{{{{ ti.log_url | escape }}}}'>log</a>""",
    )


def fetch_scores() -> str:
    target = run_folder() / "scores.csv"
    ask_scoring_service(target)
    return str(target)


def check_scores(path: str) -> str:
    problem = first_problem(read_scores(path))
    if problem:
        raise AirflowFailException(problem)
    return path


def write_report(path: str) -> str:
    report = run_folder() / "report.html"
    report.write_text(as_html(count_by_shop(read_scores(path))), encoding="utf-8")
    return str(report)


def step(function, before=None, **more) -> PythonOperator:
    """A task that takes what the task before it returned."""
    task_id = function.__name__
    return PythonOperator(
        task_id=task_id,
        python_callable=function,
        op_args=[before.output] if before else [],
        on_failure_callback=alarm(task_id),
        **more,
    )


with DAG(
    dag_id="churn_report_pipeline",
    schedule="0 6 * * MON",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(minutes=5)},
    user_defined_macros={"text_of": lambda path: Path(path).read_text(encoding="utf-8")},
):
    fetch = step(fetch_scores, execution_timeout=timedelta(seconds=600))
    report = step(write_report, step(check_scores, fetch))
    report >> EmailOperator(
        task_id="mail_report",
        from_email=SENDER,
        to=SHOP_TEAM,
        subject="Churn report of {{ ds }}",
        html_content="{{ text_of(ti.xcom_pull(task_ids='write_report')) }}",
        on_failure_callback=alarm("mail_report"),
    )
