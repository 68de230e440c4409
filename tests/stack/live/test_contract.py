"""What Airflow sends arrives in Prometheus as the contract says, and each query returns data."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from conftest import Played, Stack
from stack_files import CONTRACT, ONLY_IN_TROUBLE

from stack import STACK
from stack.native import binaries

OLD_ENOUGH = 150.0  # seconds: ten scrapes
ADDED_BY_PROMETHEUS = {"__name__", "job", "instance", "le", "quantile"}
# Only there when something is wrong: test_fires.py makes that happen.
HEALTHY = [metric for name, metric in CONTRACT.items() if name not in ONLY_IN_TROUBLE]

SOURCE_QUERIES = {
    "runs": "airflow_dagrun_duration_seconds",
    "failures": "rate(airflow_task_failed[5m])",
    "heartbeat": "airflow_scheduler_heartbeat",
    "parsing": "airflow_dag_processing_total_parse_time",
    "Task Success Rate": "rate(airflow_task_success[5m]) / rate(airflow_task_start[5m])",
    "DAG Run Duration": "avg(airflow_dagrun_duration_seconds) by (dag_id)",
    "Task Failures": "sum(rate(airflow_task_failed[5m])) by (dag_id)",
}


def test_the_runs_went_as_they_were_written(played: Played) -> None:
    assert {dag: run["state"] for dag, run in played.runs.items()} == {
        "short_success": "success",
        "fails_for_good": "failed",
        "takes_a_branch": "success",
        "waits_for_it": "success",
        "is_late": "success",
        "data_quality_pipeline": "success",
    }
    assert played.tasks["takes_a_branch"]["right"] == "skipped"


@pytest.mark.parametrize("metric", HEALTHY, ids=lambda metric: metric["name"])
def test_a_metric_of_the_contract_is_there(metric: dict, stack: Stack, played: Played) -> None:
    series = metric["name"] + ("_count" if metric["type"] == "histogram" else "")
    found = stack.prometheus.query(series)
    assert found, f"{series} is not in Prometheus"
    if metric["name"] == "ALERTS":
        return  # carries the labels of each alert
    labels = {frozenset(set(s["metric"]) - ADDED_BY_PROMETHEUS) for s in found}
    wanted = set(metric["labels"]) - ADDED_BY_PROMETHEUS
    assert labels == {frozenset(wanted)}
    assert "statsd" not in metric or all(s["metric"]["job"] == "airflow" for s in found)


@pytest.mark.parametrize("name", SOURCE_QUERIES)
def test_a_query_of_the_source_returns_data(name: str, stack: Stack, played: Played) -> None:
    found = stack.prometheus.query(SOURCE_QUERIES[name])
    numbers = [float(s["value"][1]) for s in found]
    assert numbers and all(number == number for number in numbers)


def test_the_three_panels_show_the_right_numbers(stack: Stack, played: Played) -> None:
    def by(name: str, label: str) -> dict[str, float]:
        found = stack.prometheus.query(SOURCE_QUERIES[name])
        return {s["metric"][label]: float(s["value"][1]) for s in found}

    # A rate is stretched by up to a scrape interval, so it is read when the counters are older.
    ended = max(dt.datetime.fromisoformat(run["end_date"]) for run in played.runs.values())
    age = (dt.datetime.now(dt.UTC) - ended).total_seconds()
    time.sleep(max(0, OLD_ENOUGH - age))

    def about(value: float) -> object:
        return pytest.approx(value, rel=0.15)

    rates = by("Task Success Rate", "task_id")
    assert rates["wait"] == about(1)
    assert rates["is_there"] == about(0.5)  # it looked twice
    durations = by("DAG Run Duration", "dag_id")
    run = played.runs["short_success"]
    assert durations["short_success"] == pytest.approx(run["duration"], abs=0.5)
    assert 4 < durations["short_success"] < 20
    failures = by("Task Failures", "dag_id")
    assert failures["fails_for_good"] * 300 == about(2)  # two tries, five minutes
    assert set(failures) == {"fails_for_good"}


def test_units_are_seconds(stack: Stack, played: Played) -> None:
    mean = stack.prometheus.value(
        'airflow_task_duration_seconds_sum{task_id="wait"}'
        ' / airflow_task_duration_seconds_count{task_id="wait"}'
    )
    assert 4 < mean < 8  # it sleeps for four seconds
    per_file = stack.prometheus.value(
        'airflow_dag_processing_last_duration_seconds_sum{file_name="short_success"}'
        ' / airflow_dag_processing_last_duration_seconds_count{file_name="short_success"}'
    )
    assert 0.005 < per_file < 10


def test_the_exporter_understood_everything(stack: Stack, played: Played) -> None:
    assert stack.prometheus.value("statsd_exporter_lines_total") > 100
    for name in ("events_unmapped", "udp_packet_drops"):
        assert stack.prometheus.value(f"statsd_exporter_{name}_total") == 0
    for name in ("events_conflict", "sample_errors", "events_error"):
        found = stack.prometheus.query(f"statsd_exporter_{name}_total > 0")
        assert found == []


def test_it_is_the_version_that_the_compose_file_pins(stack: Stack) -> None:
    version = stack.prometheus.get("/status/buildinfo")["version"]
    assert version == binaries.version(binaries.PROMETHEUS)
    assert f"prom/prometheus:v{version}" in (STACK.parent / "docker-compose.yml").read_text("utf-8")


def test_tasks_say_where_their_log_is(stack: Stack, played: Played) -> None:
    (mail,) = stack.inbox.about("fails_for_good: ship failed")
    assert "http://localhost:8080/dags/fails_for_good/runs/" in mail["HTML"]
