"""Airflow's REST API, Prometheus and the inbox of a running stack, as the live tests ask them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
ENDED = ("success", "failed")


class Airflow:
    """The REST API, logged in."""

    def __init__(self, user: str, password: str, url: str = "http://127.0.0.1:8080"):
        # Longer than a busy SQLite lets a writer wait.
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        answer = self._http.post("/auth/token", json={"username": user, "password": password})
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str) -> dict[str, Any]:
        """The JSON of an address below `/api/v2`."""
        answer = self._http.get(f"/api/v2{path}")
        answer.raise_for_status()
        return dict(answer.json())

    def dag_ids(self) -> set[str]:
        """All DAGs that were parsed."""
        return {dag["dag_id"] for dag in self.get("/dags?limit=100")["dags"]}

    def pause(self, dag_id: str, paused: bool = True) -> None:
        """Pause a DAG, or let it go on."""
        self._http.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": paused}).raise_for_status()

    def trigger(
        self, dag_id: str, conf: dict[str, Any] | None = None, logical_date: str | None = None
    ) -> str:
        """Start a run; its id. Without a date the run has none, as Airflow 3 allows."""
        self.pause(dag_id, False)
        body = {"logical_date": logical_date, "conf": conf or {}}
        answer = self._http.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def make_pool(self, name: str, slots: int) -> None:
        """Make a pool."""
        self._http.post("/api/v2/pools", json={"name": name, "slots": slots}).raise_for_status()

    def make_connection(self, name: str, **what: str) -> None:
        """Make a connection; `what` is its host, its password and so on."""
        body = {"connection_id": name, "conn_type": "http", **what}
        self._http.post("/api/v2/connections", json=body).raise_for_status()

    def end(self, dag_id: str, run_id: str) -> None:
        """End a run at once, as failed."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        self._http.patch(path, json={"state": "failed"}).raise_for_status()

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """A run as Airflow tells it."""
        return self.get(f"/dags/{dag_id}/dagRuns/{run_id}")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG, the earliest first."""
        return list(self.get(f"/dags/{dag_id}/dagRuns?order_by=run_after&limit=100")["dag_runs"])

    def automatic(self, dag_id: str, count: int, seconds: float) -> list[dict[str, Any]]:
        """The runs that nobody triggered, once there are that many and all have ended."""

        def ours() -> list[dict[str, Any]]:
            return [run for run in self.runs(dag_id) if run["run_type"] != "manual"]

        def over(runs: list[dict[str, Any]]) -> bool:
            return len(runs) >= count and all(r["state"] in ENDED for r in runs)

        return eventually(ours, over, seconds)

    def wait(self, dag_id: str, run_id: str, seconds: float = 90) -> dict[str, Any]:
        """The run once it has ended."""
        return eventually(
            lambda: self.run(dag_id, run_id),
            lambda run: run["state"] in ENDED,
            seconds,
        )

    def state(self, dag_id: str) -> str:
        """Start a run and say how it ends."""
        return str(self.wait(dag_id, self.trigger(dag_id))["state"])

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Task id to state."""
        told = self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")
        return {ti["task_id"]: ti["state"] for ti in told["task_instances"]}

    def instances(self, dag_id: str, run_id: str) -> list[tuple[str, str]]:
        """Id and state of each task instance, sorted. A mapped task has several."""
        told = self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")
        return sorted((ti["task_id"], str(ti["state"])) for ti in told["task_instances"])


class Prometheus:
    """Its HTTP API."""

    def __init__(self, url: str = "http://127.0.0.1:9090"):
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def get(self, path: str, **query: str) -> Any:
        """The `data` of an answer. Raises if the query is not understood."""
        answer = self._http.get(f"/api/v1{path}", params=query)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        data = self.get("/query", query=expression)
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])

    def last_minutes(self, expression: str, minutes: int = 15) -> list[dict[str, Any]]:
        """The series of a range query up to now."""
        end = time.time()
        window = {"start": str(end - 60 * minutes), "end": str(end), "step": "15"}
        return list(self.get("/query_range", query=expression, **window)["result"])

    def value(self, expression: str) -> float:
        """The one value of an expression."""
        (series,) = self.query(expression)
        return float(series["value"][1])

    def firing(self) -> list[dict[str, Any]]:
        """Alerts that fire now."""
        return [a for a in self.get("/alerts")["alerts"] if a["state"] == "firing"]


class Inbox:
    """The mails that arrived."""

    def __init__(self, url: str = "http://127.0.0.1:8025"):
        self._http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def mails(self) -> list[dict[str, Any]]:
        """All mails with their bodies, the newest first."""
        listed = self._http.get("/api/v1/messages").json()["messages"]
        return [self._http.get(f"/api/v1/message/{m['ID']}").json() for m in listed]

    def about(self, *words: str) -> list[dict[str, Any]]:
        """Mails in which all these words stand."""
        return [m for m in self.mails() if all(w in text(m) for w in words)]


def text(mail: dict[str, Any]) -> str:
    """All that can be read in a mail, and to whom it goes."""
    to = (person["Address"] for person in mail["To"])
    return "\n".join((mail["Subject"], *to, mail["Text"], mail["HTML"]))


def eventually(ask: Callable[[], T], good: Callable[[T], Any] = bool, seconds: float = 60) -> T:
    """What `ask` says as soon as it is good. Fails with the last answer."""
    end = time.monotonic() + seconds
    while True:
        told = ask()
        if good(told):
            return told
        assert time.monotonic() < end, f"after {seconds:.0f} s still {told!r}"
        time.sleep(0.5)
