"""The rules of Prometheus: each is sound, tested, within the metric contract, and has a runbook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from binary import binary, run
from stack_files import (
    ALERTS,
    QUERIES,
    RECORDING,
    RULE_FILES,
    RULES,
    RUNBOOKS,
    Rule,
    known,
    metrics_of,
)

from stack import ROOT, STACK

CASES = Path(__file__).parent / "rules"
CASE_FILES = sorted(CASES.glob("*.yml"))
SECTIONS = ["What you see", "What it means", "First three commands", "How to reproduce"]
SEVERITIES = ["page", "ticket", "info"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def labels_read(text: str) -> set[str]:
    """The labels that an annotation's template reads."""
    return set(re.findall(r"\$labels\.(\w+)", text))


def expected_by_cases() -> Iterator[tuple[str, bool]]:
    """Each alert of the promtool cases, and whether it is expected to fire there."""
    for path in CASE_FILES:
        for test in read(path)["tests"]:
            for case in test.get("alert_rule_test", []):
                yield case["alertname"], bool(case.get("exp_alerts"))


def test_metrics_of_finds_every_selector() -> None:
    query = "sum by (a) (rate(b{c='d'}[5m])) / e > 3 or f offset 1m or max_over_time(g[1h:1m])"
    assert metrics_of(query) == {"b", "e", "f", "g"}
    with pytest.raises(AssertionError):
        metrics_of('{job="airflow"}')


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_an_expression_parses_and_keeps_to_the_contract(rule: Rule) -> None:
    assert all(map(known, metrics_of(rule["expr"])))


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_has_to(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in SEVERITIES
    says = rule["annotations"]
    assert says["summary"].endswith(".") and says["description"].endswith(".")
    assert says["runbook_url"] == f"stack/runbooks/{name}.md"
    assert (ROOT / says["runbook_url"]).is_file()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_about_a_dag_links_to_it(name: str) -> None:
    says = ALERTS[name]["annotations"]
    labels = labels_read(says["summary"])
    url = says.get("airflow_url", "")
    if "dag_id" in labels:
        assert url.startswith("http://localhost:8080/dags/{{ $labels.dag_id }}")
    if "task_id" in labels:
        assert url.endswith("/tasks/{{ $labels.task_id }}")
    assert labels_read(url) <= labels


def test_severities_are_explained() -> None:
    comment = RULE_FILES[0].read_text("utf-8").split("groups:")[0]
    readme = (STACK / "runbooks" / "README.md").read_text("utf-8")
    for severity in SEVERITIES:
        assert re.search(rf"^#   {severity} ", comment, re.M)
        assert f"| `{severity}` |" in readme


def test_every_alert_has_a_runbook_and_the_other_way_round() -> None:
    assert {path.stem for path in RUNBOOKS} == set(ALERTS)
    readme = (STACK / "runbooks" / "README.md").read_text("utf-8")
    assert re.findall(r"\]\((\w+)\.md\)", readme) == list(ALERTS), "the list follows the rule files"


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_its_sections(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS
    for name, section in zip(SECTIONS, re.split(r"^## .*$", text, flags=re.M)[1:], strict=True):
        assert len(section.split()) >= 10, name
    commands = text.split("## First three commands")[1].split("## ")[0]
    assert re.findall(r"^(\d)\. ", commands, re.M) == ["1", "2", "3"]
    assert commands.count("```") >= 6, "three commands to copy"


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_a_query_of_a_page_parses_and_keeps_to_the_contract(page: str, query: str) -> None:
    assert all(map(known, metrics_of(query)))


def test_runbooks_have_queries() -> None:
    assert len(QUERIES) >= len(RUNBOOKS) // 2


def test_runbooks_call_commands_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for path in RUNBOOKS:
        called = set(re.findall(r"(?:`|^ *)make\s+([\w-]+)", path.read_text("utf-8"), re.M))
        assert called <= targets, path.name


def test_every_rule_has_cases() -> None:
    seen = set(expected_by_cases())
    for name in ALERTS:
        assert (name, True) in seen, f"no case in which {name} fires"
        assert (name, False) in seen or name == "Watchdog", f"no case in which {name} is quiet"
    queries = [
        case["expr"]
        for path in CASE_FILES
        for test in read(path)["tests"]
        for case in test.get("promql_expr_test", [])
        if case.get("exp_samples")
    ]
    assert set().union(*map(metrics_of, queries)) >= RECORDING.keys()


def test_cases_and_rules_name_the_same_things() -> None:
    loaded = {
        (path.parent / name).resolve() for path in CASE_FILES for name in read(path)["rule_files"]
    }
    assert loaded == set(RULE_FILES)
    assert {name for name, _ in expected_by_cases()} <= set(ALERTS), "an alert that does not exist"


def test_promtool_accepts_the_rules() -> None:
    run(binary("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@pytest.mark.parametrize("path", CASE_FILES, ids=lambda path: path.stem)
def test_the_cases_pass(path: Path) -> None:
    run(binary("promtool"), "test", "rules", path)
