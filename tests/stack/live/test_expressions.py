"""Every expression of every board, rule and runbook returns data from a live Prometheus."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from conftest import Played, Stack

from stack import STACK
from stack.grafana import Expression, expressions

# Between them they succeeded, failed, were retried, and have a freshness limit.
DAGS = ("short_success", "fails_for_good", "every_minute", "data_quality_pipeline")
RULES = [
    rule
    for file in sorted((STACK / "prometheus" / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
RECORDED = sorted({rule["record"] for rule in RULES if "record" in rule})
ALERTS = [rule for rule in RULES if "alert" in rule]
RUNBOOKS = [
    (file.stem, query.strip())
    for file in sorted((STACK / "runbooks").glob("*.md"))
    for query in re.findall(r"```promql\n(.*?)```", file.read_text("utf-8"), re.S)
]
# What is recorded from the last 15 minutes needs scheduled runs in them, or that much history.
SHORT = {"airflow:dagrun_schedule_delay:mean_15m"}


def panels() -> list[tuple[Expression, ...]]:
    """Each query of each panel, for each of the DAGs."""
    return list(zip(*(expressions(dag_id, "15m") for dag_id in DAGS), strict=True))


@pytest.mark.parametrize("queries", panels(), ids=lambda qs: f"{qs[0].board}: {qs[0].panel}")
def test_a_panel_shows_something(
    queries: tuple[Expression, ...], stack: Stack, played: Played
) -> None:
    found = [series for query in queries for series in stack.prometheus.query(query.text)]
    assert found or queries[0].if_empty, queries[0].text


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_rule_records(name: str, stack: Stack, played: Played) -> None:
    assert stack.prometheus.query(name), name


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_can_be_evaluated(rule: dict[str, Any], stack: Stack, played: Played) -> None:
    stack.prometheus.query(rule["expr"])  # raises if Prometheus does not understand it
    groups = stack.prometheus.get("/rules", type="alert")["groups"]
    (live,) = [r for g in groups for r in g["rules"] if r["name"] == rule["alert"]]
    assert live["health"] == "ok", live.get("lastError")


@pytest.mark.parametrize(("runbook", "query"), RUNBOOKS)
def test_a_query_of_a_runbook_returns_data(
    runbook: str, query: str, stack: Stack, played: Played
) -> None:
    assert stack.prometheus.query(query), f"{runbook}: {query}"
