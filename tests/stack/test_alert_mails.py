"""The mails of a real Alertmanager with the stack's configuration, read in a real inbox."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from binary import binary
from stack_files import ALERTS

from stack import STACK

FOLDER = STACK / "alertmanager"
FILE = FOLDER / "alertmanager.yml"
HEARTS = ["AirflowSchedulerHeartbeatMissing", "AirflowDagProcessorStuck", "AirflowTriggererDown"]


class Inbox:
    """A real SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.port = self._controller.port

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 Message accepted"

    def stop(self) -> None:
        self._controller.stop()

    def wait_for(self, start: str) -> EmailMessage:
        """The mail whose subject begins so; the test fails if it does not come."""
        until(lambda: any(str(mail["Subject"]).startswith(start) for mail in self.mails), start)
        return next(mail for mail in self.mails if str(mail["Subject"]).startswith(start))


class Alertmanager:
    """A real Alertmanager with this configuration and an inbox."""

    def __init__(self, folder: Path, program: Path):
        self.inbox = Inbox()
        self.port = free_port()
        shutil.copytree(FOLDER, folder / "config")
        file = folder / "config" / FILE.name
        text = file.read_text("utf-8")
        assert text.count("mailpit:1025") == 1
        file.write_text(text.replace("mailpit:1025", f"127.0.0.1:{self.inbox.port}"), "utf-8")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={file}",
                    f"--storage.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
                cwd=folder,  # not where the configuration is: templates are relative to that
            )
        until(self._ready, "Alertmanager to be ready")

    def _ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text("utf-8")
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/-/ready").is_success
        except httpx.TransportError:
            return False

    def send(self, name: str, over: bool = False, **labels: str) -> None:
        """Send an alert as Prometheus would, its annotations filled in."""
        labels = {**ALERTS[name]["labels"], **labels}
        annotations = {
            key: re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
            for key, text in ALERTS[name]["annotations"].items()
        }
        now = dt.datetime.now(dt.UTC)
        alert = {
            "labels": {"alertname": name, **labels},
            "annotations": annotations,
            "startsAt": (now - dt.timedelta(seconds=1)).isoformat(),
            "endsAt": (now if over else now + dt.timedelta(minutes=5)).isoformat(),
        }
        url = f"http://127.0.0.1:{self.port}/api/v2/alerts"
        httpx.post(url, json=[alert]).raise_for_status()

    def inhibited(self) -> list[str]:
        """The names of the alerts that are held back."""
        alerts = httpx.get(f"http://127.0.0.1:{self.port}/api/v2/alerts").json()
        return sorted(a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self.inbox.stop()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Wait until something is true; fail if it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds} s for: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """All alerts that the tests below look at, sent at once: they share the waiting."""
    started = Alertmanager(tmp_path_factory.mktemp("alertmanager"), binary("alertmanager"))
    try:
        started.send("AirflowTaskFailed", dag_id="ml_training_pipeline", task_id="prepare.clean")
        started.send("AirflowTaskFailed", dag_id="hello_airflow", task_id="greet")
        started.send("AirflowTaskFailed", dag_id="hello_airflow", task_id="part")
        started.send("AirflowMetricsMissing")
        for name in HEARTS:
            started.send(name)
        started.send("Watchdog")
        yield started
    finally:
        started.stop()


def text_of(mail: EmailMessage, kind: str) -> str:
    """The plain or the HTML half of a mail."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_a_failing_task_is_mailed_with_all_a_person_needs(alertmanager: Alertmanager) -> None:
    mail = alertmanager.inbox.wait_for("[ticket] AirflowTaskFailed ml_training_pipeline")
    assert mail["Subject"] == "[ticket] AirflowTaskFailed ml_training_pipeline prepare.clean"
    assert mail["From"] == "alertmanager@heron.example"
    assert mail["To"] == "alerts@heron.example"
    url = "http://localhost:8080/dags/ml_training_pipeline/tasks/prepare.clean"
    lines = [line.strip() for line in text_of(mail, "plain").splitlines()]
    assert (
        "Task prepare.clean of DAG ml_training_pipeline failed and will not be tried again."
        in lines
    )
    for line in (
        "DAG:      ml_training_pipeline",
        "Task:     prepare.clean",
        "Severity: ticket: look today",
        f"Log:      {url}",
        "Runbook:  stack/runbooks/AirflowTaskFailed.md",
        ALERTS["AirflowTaskFailed"]["annotations"]["description"],
    ):
        assert line in lines
    html = text_of(mail, "html")
    assert f'<a href="{url}">{url}</a>' in html
    for part in ("ml_training_pipeline", "prepare.clean", "stack/runbooks/AirflowTaskFailed.md"):
        assert part in html
    assert "<no value>" not in "\n".join(lines) + html


def test_tasks_of_one_dag_share_a_mail(alertmanager: Alertmanager) -> None:
    mail = alertmanager.inbox.wait_for("[ticket] AirflowTaskFailed hello_airflow")
    assert mail["Subject"] == "[ticket] AirflowTaskFailed hello_airflow"
    text = text_of(mail, "plain")
    assert "Task:     greet" in text and "Task:     part" in text


def test_an_alert_without_a_dag_has_no_empty_lines_for_it(alertmanager: Alertmanager) -> None:
    mail = alertmanager.inbox.wait_for("[page] AirflowMetricsMissing")
    assert mail["Subject"] == "[page] AirflowMetricsMissing"
    text = text_of(mail, "plain")
    assert "Severity: page: look now" in text
    assert "DAG:" not in text and "Task:" not in text and "Log:" not in text


def test_the_watchdog_is_mailed_once(alertmanager: Alertmanager) -> None:
    mail = alertmanager.inbox.wait_for("[info] Watchdog")
    assert "Severity: info: nothing to do" in text_of(mail, "plain")


def test_guesses_about_hearts_are_held_back(alertmanager: Alertmanager) -> None:
    alertmanager.inbox.wait_for("[page] AirflowMetricsMissing")
    assert alertmanager.inhibited() == sorted(HEARTS)
    subjects = [str(mail["Subject"]) for mail in alertmanager.inbox.mails]
    assert not [s for s in subjects if any(name in s for name in HEARTS)]


def test_the_end_of_an_alert_is_mailed(alertmanager: Alertmanager) -> None:
    labels = {"dag_id": "ml_training_pipeline", "task_id": "prepare.clean"}
    alertmanager.inbox.wait_for("[ticket] AirflowTaskFailed ml_training_pipeline")
    alertmanager.send("AirflowTaskFailed", over=True, **labels)
    mail = alertmanager.inbox.wait_for("[over] AirflowTaskFailed ml_training_pipeline")
    text = text_of(mail, "plain")
    assert "Over, or no longer to be seen: Task prepare.clean of DAG ml_training_pipeline" in text
    assert "Until:" in text
