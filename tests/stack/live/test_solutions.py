"""The course's own DAGs, solved, run in the stack as a learner would run them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from clients import Airflow, Inbox, Prometheus, eventually
from conftest import Stack
from dotenv import dotenv_values

from grader.course import load_course
from stack import ROOT

# What a run needs to end well. The data of part 02 is years old by now, and that is a way, too.
CONF: dict[str, dict[str, Any]] = {"failure_test_pipeline": {"gateway": ["busy", 412]}}
SECONDS = 240  # the gateway of part 04 is busy once, and the task waits up to two minutes


def test_each_solution_runs(solved: Stack) -> None:
    settings = dotenv_values(ROOT / ".env")
    airflow = Airflow(str(settings["AIRFLOW_USER"]), str(settings["AIRFLOW_PASSWORD"]))
    wanted = {part.dag_id for part in load_course().part}
    eventually(airflow.dag_ids, lambda ids: ids >= wanted, seconds=90)
    now = dt.datetime.now(dt.UTC).isoformat()  # as Airflow's page fills it in; part 02 reads it
    runs = {dag_id: airflow.trigger(dag_id, CONF.get(dag_id), now) for dag_id in sorted(wanted)}
    ended = {d: airflow.wait(d, run_id, SECONDS)["state"] for d, run_id in runs.items()}
    assert ended == dict.fromkeys(wanted, "success")
    assert airflow.get("/importErrors")["total_entries"] == 0

    report = eventually(lambda: Inbox().about("shops@example.com"))
    assert report, "the report of part 05 is not in the inbox"
    metrics = Prometheus()
    plans = eventually(lambda: metrics.query("airflow_heron_callers_at_risk"))
    assert {series["metric"]["plan"] for series in plans}
    assert eventually(lambda: metrics.query("airflow_heron_scoring_time_count"))
    assert metrics.value("statsd_exporter_events_unmapped_total") == 0
