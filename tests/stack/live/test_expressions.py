"""Every expression of every board, rule and runbook returns data from a live Prometheus."""

from __future__ import annotations

import math
from typing import Any

import pytest
from conftest import Played, Stack
from stack_files import ALERTS, QUERIES, RECORDING

from stack.grafana import Expression, expressions

# Between them they succeeded, failed, were retried, and have a freshness limit.
DAGS = ("short_success", "fails_for_good", "every_minute", "data_quality_pipeline")


def panels() -> list[tuple[Expression, ...]]:
    """Each query of each panel, for each of the DAGs."""
    return list(zip(*(expressions(dag_id, "15m") for dag_id in DAGS), strict=True))


@pytest.mark.parametrize("queries", panels(), ids=lambda qs: f"{qs[0].board}: {qs[0].panel}")
def test_a_panel_shows_something(
    queries: tuple[Expression, ...], stack: Stack, played: Played
) -> None:
    ask = stack.prometheus.last_minutes if queries[0].over_time else stack.prometheus.query
    found = [series for query in queries for series in ask(query.text)]
    values = (value for s in found for _, value in s.get("values", [s.get("value")]))
    assert any(math.isfinite(float(value)) for value in values), queries[0].text


@pytest.mark.parametrize("name", RECORDING)
def test_a_recording_rule_records(name: str, stack: Stack, played: Played) -> None:
    assert stack.prometheus.query(name), name


@pytest.mark.parametrize("rule", ALERTS.values(), ids=lambda rule: rule["alert"])
def test_an_alert_can_be_evaluated(rule: dict[str, Any], stack: Stack, played: Played) -> None:
    stack.prometheus.query(rule["expr"])  # raises if Prometheus does not understand it
    groups = stack.prometheus.get("/rules", type="alert")["groups"]
    (live,) = [r for g in groups for r in g["rules"] if r["name"] == rule["alert"]]
    assert live["health"] == "ok", live.get("lastError")


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_a_query_of_a_page_returns_data(
    page: str, query: str, stack: Stack, played: Played
) -> None:
    assert stack.prometheus.query(query), f"{page}: {query}"
