"""Part 07, with a callable class, and the API's word on whether a run is over."""

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
    Connection,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    conf,
    dag,
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


class LateNotifier:
    """Called by Airflow with the context, once it has been made with the level."""

    def __init__(self, level: str) -> None:
        self.level = level

    def __call__(self, context: dict[str, Any]) -> None:
        run = context["dag_run"]
        dag_id, run_id = run["dag_id"], run["dag_run_id"]
        due = as_time(context["deadline"]["deadline_time"])
        link = airflow_page("dags", dag_id, "runs", run_id)
        try:
            waiting = self.waiting(dag_id, run_id)
        except (OSError, ValueError) as error:
            if run["state"] not in ("queued", "running"):
                return
            unfinished = f"unknown ({error})"
        else:
            if not waiting:
                return
            unfinished = "; ".join(f"{ti['task_id']} is {ti['state']}" for ti in waiting)
            started = [ti for ti in waiting if ti["state"] == "running"]
            if started:
                link = airflow_page("dags", dag_id, "runs", run_id, "tasks", started[0]["task_id"])
        send(
            self.level,
            dict(
                dag_id=dag_id,
                run_id=run_id,
                due=f"{due:%Y-%m-%dT%H:%M:%S%z}",
                late_seconds=(datetime.now(UTC) - due).total_seconds(),
                unfinished=unfinished,
                link=link,
            ),
        )

    @staticmethod
    def waiting(dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """What has begun and not ended, or has not begun."""
        ended = {"success", "failed", "upstream_failed", "skipped", "removed"}
        return [ti for ti in task_instances(dag_id, run_id) if ti["state"] not in ended]


@dag(
    dag_id="training_with_deadline",
    description="Train the churn model each night, and say so when it is late",
    schedule="0 2 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["churn", "training"],
    params={"collecting": 0.2, "training": [1.5]},
    default_args={
        "owner": "data-team",
        "retries": 1,
        "retry_delay": HOUR / 12,
        "on_failure_callback": SmtpNotifier(
            from_email=SENDER,
            to=ON_CALL,
            subject="failed: {{ ti.task_id }} of {{ dag.dag_id }}",
            html_content="<pre>{{ exception | e }}</pre><p>{{ ti.log_url }}</p>",
        ),
    },
    dagrun_timeout=22 * HOUR,
    deadline=[
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=hours * HOUR,
            callback=SyncCallback(LateNotifier, kwargs={"level": level}),
            name=level,
        )
        for level, hours in (("warn", 3), ("page", 4))
    ],
)
def training_with_deadline() -> None:
    """Each task takes what the one before returned."""

    @task
    def collect_usage() -> str:
        """Return the path of the usage of all customers."""
        return collect()

    @task(
        execution_timeout=5.9 * HOUR,
    )
    def train_model(path: str) -> float:
        """Return the model, which is a single number."""
        return fit(path)

    @task
    def publish_model(limit: float) -> str:
        """Return the path of the model that the shops load."""
        return publish(limit)

    publish_model(train_model(collect_usage()))


training_with_deadline()
