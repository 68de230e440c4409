"""Airflow's REST API as a person on call uses it: start, watch, read, clear, mark. No judging."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pandas as pd

from lab.service import Service
from lab.waiting import PAUSE, wait_until

ENDED = ("success", "failed")


class Run(NamedTuple):
    """One run of a DAG."""

    dag_id: str
    run_id: str


class Airflow(Service):
    """DAGs, runs, tasks, logs and XComs."""

    name = "Airflow"
    pause = PAUSE

    def log_in(self, user: str, password: str) -> None:
        """Get a token; all later requests carry it."""
        answer = self.ask("POST", "/auth/token", json={"username": user, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def get(self, path: str, **asked: Any) -> Any:
        """The JSON of an address below `/api/v2`."""
        return self.ask("GET", f"/api/v2{path}", params=asked)

    def health(self) -> pd.DataFrame:
        """Each part of Airflow, whether it is well, and when it was last heard of."""
        told = self.get("/monitor/health")
        rows = (
            {
                "part": part.replace("_", " "),
                "status": known["status"] or "not used",
                "last_heard": next((v for k, v in known.items() if "heartbeat" in k), None),
            }
            for part, known in told.items()
        )
        return pd.DataFrame(rows)

    def dags(self) -> pd.DataFrame:
        """All DAGs: `dag_id`, `schedule`, `paused`, `tags`."""
        return pd.DataFrame(
            {
                "dag_id": dag["dag_id"],
                "schedule": dag["timetable_summary"] or "by hand",
                "paused": dag["is_paused"],
                "tags": ", ".join(tag["name"] for tag in dag["tags"]),
            }
            for dag in self.get("/dags", limit=100, order_by="dag_id")["dags"]
        )

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> Run:
        """Start a run now, and unpause the DAG, without which the run would wait for ever."""
        self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})
        # Airflow's page fills in now as the logical date, too; without it a run has none.
        body = {"logical_date": dt.datetime.now(dt.UTC).isoformat(), "conf": conf or {}}
        answer = self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        return Run(dag_id, answer["dag_run_id"])

    def state(self, run: Run) -> str:
        """ "queued", "running", "success" or "failed"."""
        return str(self.get(address(run))["state"])

    def wait(self, run: Run, seconds: float = 180, *, quiet: bool = False) -> str:
        """Wait until a run has ended and say how; `quiet` shows no line meanwhile."""
        return wait_until(
            f"the run of {run.dag_id} has ended",
            lambda: self.state(run),
            lambda state: state in ENDED,
            seconds=seconds,
            pause=self.pause,
            quiet=quiet,
        )

    def runs(self, dag_id: str) -> pd.DataFrame:
        """The newest runs first: `run_id`, `state`, `seconds`."""
        told = self.get(f"/dags/{dag_id}/dagRuns", order_by="-run_after", limit=20)
        return pd.DataFrame(
            {"run_id": run["dag_run_id"], "state": run["state"], "seconds": run["duration"]}
            for run in told["dag_runs"]
        )

    def tasks(self, run: Run) -> pd.DataFrame:
        """The tasks of a run in the order in which they began: `state`, `tries`, `seconds`."""
        told = self.get(f"{address(run)}/taskInstances")["task_instances"]
        told.sort(key=lambda ti: (ti["start_date"] is None, ti["start_date"] or "", ti["task_id"]))
        return pd.DataFrame(
            {
                "task_id": ti["task_id"],
                "state": ti["state"] or "none",
                "tries": ti["try_number"],
                "seconds": ti["duration"],
            }
            for ti in told
        )

    def log(self, run: Run, task_id: str, try_number: int = 1) -> str:
        """The log of one try, as it stands on Airflow's page; a line per event."""
        told = self.get(f"{address(run, task_id)}/logs/{try_number}", full_content=True)
        return "\n".join(log_lines(told["content"]))

    def xcom(self, run: Run, task_id: str) -> Any:
        """What a task returned. Raises `LabProblem` if it returned nothing."""
        path = f"{address(run, task_id)}/xcomEntries/return_value"
        return self.get(path, deserialize=True)["value"]

    def xcoms(self, run: Run) -> pd.DataFrame:
        """All that the tasks of a run handed on: `task_id`, `key`, `value`."""
        told = self.get(f"{address(run, '~')}/xcomEntries")["xcom_entries"]
        rows = [
            {"task_id": x["task_id"], "key": x["key"], "value": self.xcom(run, x["task_id"])}
            for x in told
            if x["key"] == "return_value"
        ]
        return pd.DataFrame(rows, columns=["task_id", "key", "value"])

    def clear(
        self, run: Run, task_id: str, *, downstream: bool = True, only_failed: bool = False
    ) -> list[str]:
        """Forget how a task ended, so that it runs again; with all that follows it, or not.

        Its setup and teardown come along, unless `only_failed` leaves out what succeeded. Returns
        the ids of the tasks that were cleared.
        """
        body = {
            "dry_run": False,
            "dag_run_id": run.run_id,
            "task_ids": [task_id],
            "include_downstream": downstream,
            "only_failed": only_failed,
            "reset_dag_runs": True,
        }
        told = self.ask("POST", f"/api/v2/dags/{run.dag_id}/clearTaskInstances", json=body)
        return sorted(ti["task_id"] for ti in told["task_instances"])

    def mark_success(self, run: Run, task_id: str) -> None:
        """Write down that a task succeeded. It does not run."""
        body = {"new_state": "success"}
        self.ask("PATCH", f"/api/v2{address(run, task_id)}", json=body)


def address(run: Run, task_id: str | None = None) -> str:
    """Where a run is in the API, or a task of it."""
    task = f"/taskInstances/{task_id}" if task_id else ""
    return f"/dags/{run.dag_id}/dagRuns/{run.run_id}{task}"


def log_lines(content: list[dict[str, Any]] | str) -> list[str]:
    """The lines of a log: time, level, event, and the error if there is one."""
    if isinstance(content, str):
        return content.splitlines()
    lines = []
    for event in content:
        if event["event"].startswith("::"):  # folds of Airflow's page
            continue
        moment, level = (event.get("timestamp") or "")[11:19], (event.get("level") or "").upper()
        lines.append(" ".join(word for word in (moment, level, event["event"]) if word))
        for error in event.get("error_detail") or []:
            lines.append(f"    {error['exc_type']}: {error['exc_value']}")
    return lines
