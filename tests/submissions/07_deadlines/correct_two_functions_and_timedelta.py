"""Part 07, with `with DAG`, one function for each level, and plain `timedelta`s."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import (
    DAG,
    Connection,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    conf,
    get_current_context,
    task,
)

DATA = Path(__file__).parent / "data" / "usage.csv"
WORK = Path(tempfile.gettempdir(), "heron/training_with_deadline")
# How long an hour is. To watch a whole night in a minute or two, start Airflow with a short one.
HOUR = timedelta(seconds=float(os.environ.get("HERON_HOUR", "3600")))

SENDER = "airflow@example.com"
ON_CALL = "alerts@example.com"
RECIPIENTS = {"warn": "churn-team@example.com", "page": ON_CALL}


# The nightly work, in plain Python and finished.


def pass_hours(hours: float) -> None:
    """Let some of Heron's hours pass."""
    time.sleep((hours * HOUR).total_seconds())


def collect() -> str:
    """Copy the usage of all customers into the folder of this run and return the path."""
    context = get_current_context()
    pass_hours(context["params"]["collecting"])
    folder = WORK / re.sub(r"[^A-Za-z0-9_-]", "_", context["run_id"])
    folder.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy(DATA, folder))


def fit(path: str) -> float:
    """Return the minutes a month below which a customer is likely to leave.

    It takes as long as the parameter `training` says, which has an entry for each try: a number of
    hours, or the text of an error. Its last entry stays.
    """
    context = get_current_context()
    entries, number = context["params"]["training"], context["ti"].try_number
    entry = entries[min(number, len(entries)) - 1]
    if isinstance(entry, str):
        raise RuntimeError(entry)
    pass_hours(entry)
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [(float(row["minutes"]), row["left"] == "yes") for row in csv.DictReader(file)]
    return max(
        (limit for limit, _ in rows),
        key=lambda limit: sum((minutes < limit) == left for minutes, left in rows),
    )


def publish(limit: float) -> str:
    """Put the model where the shops load it at six, and return the path."""
    model = WORK / "model.json"
    model.write_text(json.dumps({"leaves_below": limit}), encoding="utf-8")
    return str(model)


# For whoever waits for it, in plain Python and finished.


def as_time(value: datetime | str) -> datetime:
    """A time that Airflow hands over: some executors pass it on as it is, others as a text."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def task_instances(dag_id: str, run_id: str) -> list[dict[str, Any]]:
    """Ask Airflow's REST API for the tasks of a run: dicts with "task_id", "state" and more.

    The connection `airflow_api` says where the API is and who asks. Raises `OSError` if there is no
    answer.
    """
    api, as_json = Connection.get("airflow_api"), {"Content-Type": "application/json"}
    base, who = f"http://{api.host}:{api.port}", {"username": api.login, "password": api.password}
    login = Request(f"{base}/auth/token", json.dumps(who).encode(), as_json)
    with urlopen(login, timeout=10) as reply:
        bearer = {"Authorization": f"Bearer {json.load(reply)['access_token']}"}
    path = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
    with urlopen(Request(base + path, headers=bearer), timeout=10) as reply:
        return list(json.load(reply)["task_instances"])


def airflow_page(*path: str) -> str:
    """The address of a page of Airflow's web interface: `airflow_page("dags", "x")` is DAG x's."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080")
    return "/".join([base.rstrip("/"), *map(quote, path)])


def send(level: str, facts: dict[str, Any]) -> None:
    """Mail the facts, a line for each: a "warn" to the team, a "page" to the person on call."""
    lines = []
    for key, value in (facts | {"sent_at": datetime.now(UTC).isoformat()}).items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(html.escape(f"{key}: {shown}", quote=False))
    with SmtpHook() as smtp:
        smtp.send_email_smtp(
            from_email=SENDER,
            to=RECIPIENTS[level],
            subject=f"{level}: the new model is not there yet",
            html_content="<pre>\n" + "\n".join(lines) + "\n</pre>",
        )


DONE = {"success", "failed", "skipped", "upstream_failed", "removed"}


def what_is_left(run: dict[str, Any]) -> dict[str, str]:
    """State by task; a task without a state waits for the ones before it."""
    try:
        answers = task_instances(run["dag_id"], run["dag_run_id"])
    except Exception as error:
        return {"unknown": f"{type(error).__name__}: {error}"}
    return {
        answer["task_id"]: answer["state"]
        for answer in answers
        if answer["state"] is not None and answer["state"] not in DONE
    }


def facts_of(run: dict[str, Any], deadline: dict[str, Any]) -> dict[str, Any]:
    """What both levels say."""
    due = deadline["deadline_time"]
    return {
        "dag_id": run["dag_id"],
        "run_id": run["dag_run_id"],
        "due": due,
        "late_seconds": datetime.now(tz=due.tzinfo) - due,
        "unfinished": what_is_left(run),
        "link": f"http://localhost:8080/dags/{run['dag_id']}/runs/{run['dag_run_id']}",
    }


def warn_team(context: dict[str, Any]) -> None:
    """At five."""
    if context["dag_run"]["end_date"] is None:
        send("warn", facts_of(context["dag_run"], context["deadline"]))


def page_on_call(context: dict[str, Any]) -> None:
    """At six."""
    if context["dag_run"]["end_date"] is None:
        send("page", facts_of(context["dag_run"], context["deadline"]))


@task
def collect_usage() -> str:
    """Return the path of the usage of all customers."""
    return collect()


@task(execution_timeout=timedelta(hours=6))
def train_model(path: str) -> float:
    """Return the model."""
    return fit(path)


@task
def publish_model(limit: float) -> str:
    """Return the path of the model."""
    return publish(limit)


with DAG(
    dag_id="training_with_deadline",
    schedule="0 2 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"collecting": 0.2, "training": [1.5]},
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "on_failure_callback": SmtpNotifier(
            from_email=SENDER,
            to=ON_CALL,
            subject="failed: {{ ti.task_id }} of {{ dag.dag_id }}",
            html_content="<pre>{{ exception | e }}</pre><p>{{ ti.log_url }}</p>",
        ),
    },
    dagrun_timeout=timedelta(hours=20),
    deadline=[
        DeadlineAlert(
            name="warn",
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=timedelta(hours=3),
            callback=SyncCallback(warn_team),
        ),
        DeadlineAlert(
            name="page",
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=timedelta(hours=4),
            callback=SyncCallback(page_on_call),
        ),
    ],
):
    publish_model(train_model(collect_usage()))
