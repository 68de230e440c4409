"""Where the answers come from: the running stack, or the replies that were recorded from one.

The environment variable LAB decides: `live`, `offline`, or `record`, which is live and writes the
replies down. Without it the running stack is taken, and the recorded replies if there is none.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pandas as pd
from dotenv import dotenv_values

from lab import recorded
from lab.checks import check, question_of
from lab.grafana import Grafana
from lab.inbox import Inbox
from lab.problem import LabProblem
from lab.prometheus import Prometheus
from lab.recorded import ROOT, Recorder, Replay, Replies
from lab.rest import Airflow
from lab.waiting import PAUSE, wait_until

T = TypeVar("T")
PORTS = {"airflow": 8080, "prometheus": 9090, "inbox": 8025}
GRAFANA = "http://localhost:3000"
SETTLED = 1.0  # seconds; what is younger may still change while a scrape comes in
NEEDED = {"hello_airflow", "ml_training_pipeline", "failure_test_pipeline"}
START = "make stack, or make stack-native"


@dataclass
class Lab:
    """The stack as a notebook sees it."""

    airflow: Airflow
    prometheus: Prometheus
    inbox: Inbox
    grafana: Grafana
    live: bool
    recording: bool = False
    _asked_at: dict[str, float] = field(default_factory=dict)

    def check(self, number: str, answer: object) -> None:
        """Say whether the answer to a *Your turn* is right, and if not, how it differs."""
        end = time.time() - SETTLED
        if self.recording:  # all answers to a question at one moment, wrong ones, too
            end = self._asked_at.setdefault(number, end)
            for wrong in question_of(number).wrong:
                check(self.prometheus, number, wrong["answer"], end)
        print(check(self.prometheus, number, answer, end))

    def wait_until(
        self,
        what: str,
        ask: Callable[[], T],
        good: Callable[[T], object] = bool,
        seconds: float = 120,
    ) -> T:
        """Ask until the answer is good, with a line that says how long it takes."""
        pause = PAUSE if self.live else 0
        return wait_until(what, ask, good, seconds=seconds, pause=pause)

    def wait_for_data(self, promql: str, seconds: float = 90) -> pd.DataFrame:
        """Wait until a query gives something: what Airflow sends is scraped every 15 s."""
        return self.wait_until(
            "Prometheus has data",
            lambda: self.prometheus.query(promql),
            lambda frame: not frame.empty,
            seconds,
        )

    def wait_for_scrape(self) -> None:
        """Wait until Prometheus has fetched what Airflow said up to now."""
        said = time.time() + 1  # a second for the line to reach the exporter
        self.wait_until(
            "Prometheus has fetched the newest numbers",
            lambda: self.prometheus.query('timestamp(up{job="airflow"})')["value"].max(),
            lambda fetched: fetched > said or not self.live,
        )
        if self.live:
            time.sleep(2 * SETTLED)


def connect(notebook: str) -> Lab:
    """The lab for a notebook, after one line that says what it talks to.

    Raises `LabProblem` if LAB asks for a stack that is not up, or that shows other DAGs.
    """
    pd.set_option("display.max_colwidth", 90, "display.precision", 3)
    mode = os.environ.get("LAB", "")
    if mode not in ("", "live", "record", "offline"):
        raise LabProblem(f"LAB is {mode!r}; it can be live, offline or record.")
    if mode == "offline" or not (mode or is_up()):
        return offline(notebook)
    if not is_up():
        raise LabProblem(f"the stack is not up. In a terminal: {START}")
    return live(notebook, record=mode == "record")


def offline(notebook: str) -> Lab:
    """A lab that plays a recording."""
    recorded_at, replies = recorded.load(notebook)
    print(
        f"Offline: you read what a stack said on {recorded_at:%d %B %Y at %H:%M} UTC. "
        f"For answers of your own: {START}"
    )
    return build(lambda service: Replay(service, replies), live=False)


def live(notebook: str, *, record: bool) -> Lab:
    """A lab on the running stack."""
    replies: Replies = {}
    if record:
        atexit.register(recorded.save, notebook, replies)
    lab = build(
        lambda service: Recorder(service, replies) if record else httpx.HTTPTransport(), live=True
    )
    lab.recording = record
    settings = dotenv_values(ROOT / ".env")
    lab.airflow.log_in(str(settings["AIRFLOW_USER"]), str(settings["AIRFLOW_PASSWORD"]))
    if not has_dags(lab.airflow):
        wait_until(
            "Airflow has read the DAGs",
            lambda: has_dags(lab.airflow),
            seconds=60,
            or_else="the stack shows other DAGs. In a terminal: make stack-down, then " + START,
        )
    print("Live: you talk to the stack on this machine.")
    return lab


def has_dags(airflow: Airflow) -> bool:
    """Whether the stack shows the DAGs that the notebooks start."""
    return set(airflow.dags().get("dag_id", ())) >= NEEDED


def build(transport: Callable[[str], httpx.BaseTransport], *, live: bool) -> Lab:
    """The clients, each with a transport of its own."""

    def http(service: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{PORTS[service]}",
            transport=transport(service),
            timeout=30,
        )

    airflow = Airflow(http("airflow"))
    airflow.pause = PAUSE if live else 0
    settings = dotenv_values(ROOT / ".env")
    login = (settings.get("GRAFANA_USER") or "", settings.get("GRAFANA_PASSWORD") or "")
    grafana = Grafana(httpx.Client(base_url=GRAFANA, auth=login, timeout=10, trust_env=False))
    return Lab(airflow, Prometheus(http("prometheus")), Inbox(http("inbox")), grafana, live)


def is_up() -> bool:
    """Whether both halves of the stack answer."""
    addresses = (f":{PORTS['airflow']}/api/v2/version", f":{PORTS['prometheus']}/-/ready")
    try:
        return all(
            httpx.get(f"http://127.0.0.1{address}", timeout=3, trust_env=False).is_success
            for address in addresses
        )
    except httpx.TransportError:
        return False
