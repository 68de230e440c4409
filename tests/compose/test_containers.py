"""The stack in containers does what its compose file promises. The tests build on one another."""

from __future__ import annotations

from typing import Any

import httpx
import psutil
import pytest
import yaml
from clients import eventually
from conftest import COMPOSE_FILE, PROJECT, Stack

from stack.ports import TCP, UDP

QUERIES = [
    "airflow_dagrun_duration_seconds",
    "rate(airflow_task_failed[5m])",
    "airflow_scheduler_heartbeat",
    "airflow_dag_processing_total_parse_time",
    "rate(airflow_task_success[5m]) / rate(airflow_task_start[5m])",
]
LOOPBACK = ("127.0.0.1", "::1")
GRAFANA = 3000


@pytest.fixture(scope="session")
def runs(stack: Stack) -> dict[str, dict[str, Any]]:
    """A run that succeeds and one that fails, triggered over REST."""
    airflow = stack.airflow
    dags = ("short_success", "fails_for_good")
    eventually(airflow.dag_ids, lambda ids: ids >= set(dags))
    ids = {dag: airflow.trigger(dag) for dag in dags}
    return {dag: airflow.wait(dag, run) for dag, run in ids.items()}


def test_all_services_are_healthy(stack: Stack):
    described = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
    if stack.engine.private:
        described.pop("grafana")
    containers = stack.containers()
    assert containers.keys() == described.keys()
    assert containers.pop("airflow-init")["ExitCode"] == 0
    states = {name: container["Health"] for name, container in containers.items()}
    assert set(states.values()) == {"healthy"}, states


def test_status_says_so(stack: Stack):
    assert stack.command("status").returncode == 0


def test_nothing_listens_beyond_this_machine(stack: Stack):
    """Where the network is our own, these are all its sockets; else, what compose published."""
    if stack.engine.private:
        sockets = psutil.net_connections("inet")
        open_ones = [s.laddr for s in sockets if s.status in ("LISTEN", "NONE") and not s.raddr]
        expected = (TCP.keys() | UDP.keys()) - {GRAFANA}
        found = {(address.ip, address.port) for address in open_ones}
    else:
        publishers = [p for c in stack.containers().values() for p in c["Publishers"] or []]
        expected = TCP.keys() | UDP.keys()
        found = {(p["URL"], p["PublishedPort"]) for p in publishers if p["PublishedPort"]}
    assert {port for _, port in found} == expected
    assert {ip for ip, _ in found} <= set(LOOPBACK), found


def test_a_triggered_dag_succeeds(runs: dict[str, dict[str, Any]]):
    assert runs["short_success"]["state"] == "success"
    assert runs["fails_for_good"]["state"] == "failed"


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_course_returns_data(stack: Stack, runs: object, query: str):
    def numbers() -> list[float]:
        values = [float(s["value"][1]) for s in stack.prometheus.query(query)]
        return [value for value in values if value == value]  # NaN is no data

    assert eventually(numbers, seconds=90)


def test_the_mean_duration_is_that_of_the_run(stack: Stack, runs: object):
    query = 'avg(airflow_dagrun_duration_seconds{dag_id="short_success"}) by (dag_id)'
    eventually(lambda: stack.prometheus.query(query), seconds=60)
    assert 4 < stack.prometheus.value(query) < 60


def test_a_failing_task_sends_a_mail_with_a_link_to_its_log(stack: Stack, runs: object):
    (mail,) = eventually(lambda: stack.inbox.about("fails_for_good: ship failed"), seconds=60)
    assert "http://localhost:8080/dags/fails_for_good/runs/" in mail["HTML"]
    assert "/tasks/ship" in mail["HTML"]


def test_the_log_behind_the_link_is_there(stack: Stack, runs: dict[str, dict[str, Any]]):
    """It was written by the scheduler's container and is read by the API server's."""
    run = runs["fails_for_good"]["dag_run_id"]
    path = f"/dags/fails_for_good/dagRuns/{run}/taskInstances/ship/logs/1"
    assert "the truck did not come" in str(stack.airflow.get(path))


def test_the_alert_of_the_failing_task_is_mailed(stack: Stack, runs: object):
    mails = eventually(
        lambda: stack.inbox.about("AirflowTaskFailed", "fails_for_good"), seconds=120
    )
    assert "ship" in mails[0]["Text"]
    assert "http://localhost:8080/dags/fails_for_good/tasks/ship" in mails[0]["Text"]


def test_metrics_come_again_after_the_exporter_was_away(stack: Stack):
    assert stack.command("stop-service", "statsd-exporter").returncode == 0
    assert stack.command("status").returncode == 1
    assert stack.command("start-service", "statsd-exporter").returncode == 0
    # It has forgotten all it knew, so what it knows now was sent since.
    for part in ("scheduler", "dag_processor", "triggerer"):
        heartbeat = f"\nairflow_{part}_heartbeat "
        eventually(metrics, lambda text, wanted=heartbeat: wanted in text, seconds=60)


def metrics() -> str:
    """What the exporter knows; nothing while it starts."""
    try:
        return httpx.get("http://127.0.0.1:9102/metrics", trust_env=False).text
    except httpx.TransportError:
        return ""


def test_a_scheduler_that_ended_comes_back(stack: Stack):
    container = stack.containers()["airflow-scheduler"]["ID"]
    stack.docker("exec", container, "sh", "-c", "kill 1")
    count = "{{.RestartCount}} {{.State.Health.Status}}"
    eventually(
        lambda: stack.docker("inspect", "--format", count, container).split(),
        lambda told: told == ["1", "healthy"],
        seconds=90,
    )
    assert stack.airflow.state("short_success") == "success"


def test_a_restart_keeps_the_history(stack: Stack, runs: dict[str, dict[str, Any]]):
    """Down and up with the same .env, and the learner's own folder: stubs are no import errors."""
    assert stack.command("down").returncode == 0
    assert not stack.containers()
    stack.up(dags="exercises")
    airflow = stack.airflow
    known = airflow.get("/dags/~/dagRuns?limit=100")["dag_runs"]
    kept = {run["dag_run_id"]: run["state"] for run in known}
    for run in runs.values():
        assert kept[run["dag_run_id"]] == run["state"]
    query = 'max_over_time(airflow_task_failed{dag_id="fails_for_good"}[1h])'
    assert stack.prometheus.query(query)
    eventually(airflow.dag_ids, lambda ids: "hello_airflow" in ids, seconds=90)
    assert airflow.get("/importErrors")["total_entries"] == 0


def test_clean_removes_everything(stack: Stack):
    assert stack.command("clean", "--yes").returncode == 0
    for kind in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
        label = f"label=com.docker.compose.project={PROJECT}"
        assert stack.docker(*kind, "--quiet", "--filter", label) == ""
