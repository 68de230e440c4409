"""The Grafana boards as files: built from code, good by Grafana's own measures, and consistent.

Needs neither Grafana nor Prometheus. The live tests send the same queries to a real Prometheus.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import board_rules as rules
import pytest
import yaml
from board_rules import RULES, Board, Rule

from stack import ROOT, STACK
from stack.grafana import DASHBOARDS, PROVISIONING, build, expressions, load_boards, panels
from stack.grafana.boards import links
from stack.native import config

BOARDS = load_boards()
OVERVIEW, DAG = BOARDS[links.OVERVIEW], BOARDS[links.DAG]
SOURCE_PANELS = {
    "Task Success Rate": "rate(airflow_task_success[5m]) / rate(airflow_task_start[5m])",
    "DAG Run Duration": "avg(airflow_dagrun_duration_seconds) by (dag_id)",
    "Task Failures": "sum(rate(airflow_task_failed[5m])) by (dag_id)",
}
QUESTIONS = [
    "Is it alive?",
    "Is it keeping up?",
    "Is work succeeding?",
    "Can I trust this board?",
]
# Where a rule does not hold, and why: these two panels show the source's queries as it writes them.
# Three rules of the linter are left out altogether, template-job-rule, template-instance-rule and
# target-instance-rule: one exporter serves all, so a choice of jobs or instances would have one
# entry. `target_job` asks for the fixed job instead.
AS_THE_SOURCE_WRITES_IT = {
    rules.target_rate_interval: {"Task Success Rate", "Task Failures"},
    rules.target_job: {"Task Success Rate", "Task Failures"},
}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])


def complaints(rule: Rule, board: Board) -> list[str]:
    """What a rule says, without what the source's own queries are excused from."""
    excused = AS_THE_SOURCE_WRITES_IT.get(rule, set())
    return [line for line in rule(board) if line.split(":")[0] not in excused]


def panel(board: Board, title: str) -> dict[str, Any]:
    """One panel."""
    return next(panel for panel in panels(board) if panel["title"] == title)


# --- built from code ---


def test_the_files_are_what_the_code_builds() -> None:
    assert {f.name: f.read_text("utf-8") for f in DASHBOARDS.iterdir()} == build.files()


def test_build_mends_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "DASHBOARDS", tmp_path / "dashboards")
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "left over.json").write_text("{}")
    build.main()
    assert {f.name for f in build.DASHBOARDS.iterdir()} == set(build.files())


# --- what they show ---


def test_the_overview_asks_the_four_questions_in_order() -> None:
    rows = [p["title"] for p in OVERVIEW["panels"] if p["type"] == "row"]
    assert rows == QUESTIONS


@pytest.mark.parametrize("title", SOURCE_PANELS)
def test_the_panels_of_the_source_are_there_to_the_letter(title: str) -> None:
    assert [t["expr"] for t in panel(OVERVIEW, title)["targets"]] == [SOURCE_PANELS[title]]


@pytest.mark.parametrize("title", SOURCE_PANELS)
def test_the_dag_board_has_them_for_one_dag(title: str) -> None:
    (target,) = panel(DAG, title)["targets"]
    assert target["expr"].replace('{dag_id="$dag_id"}', "") == SOURCE_PANELS[title]
    names = re.findall(r"airflow_\w+(\S{18})?", target["expr"])
    assert set(names) == {'{dag_id="$dag_id"}'}


def test_every_query_of_the_dag_board_is_about_the_chosen_dag() -> None:
    for title, text in rules.queries(DAG):
        for selector, _ in rules.selectors(text):
            matchers = {(m.name, m.value) for m in selector.matchers.matchers}
            assert ("dag_id", "some_dag") in matchers, f"{title}: {selector}"


def test_every_query_can_be_sent_to_prometheus() -> None:
    found = list(expressions(dag_id="a_dag", window="2h"))
    per_target = sum(len(p["targets"]) for board in BOARDS.values() for p in panels(board))
    asked = [v for board in BOARDS.values() for v in board["templating"]["list"]]
    assert len(found) == per_target + sum(v["type"] == "query" for v in asked)
    for expression in found:
        assert "$" not in expression.text
        rules.promql.parse(expression.text)
    assert any("[2h]" in e.text for e in found) and any('"a_dag"' in e.text for e in found)


# --- rules, and proof that each can fail ---


@each_rule
@each_board
def test_a_board_keeps_the_rule(board: Board, rule: Rule) -> None:
    assert complaints(rule, board) == []


@pytest.mark.parametrize("rule", AS_THE_SOURCE_WRITES_IT, ids=lambda rule: rule.__name__)
@each_board
def test_each_excuse_is_needed(board: Board, rule: Rule) -> None:
    assert {line.split(":")[0] for line in rule(board)} == AS_THE_SOURCE_WRITES_IT[rule]


def asks(text: str) -> Callable[[Board], None]:
    """The first panel asks something else."""
    return lambda board: panels(board)[0]["targets"][0].update(expr=text)


def has(**values: object) -> Callable[[Board], None]:
    """The first panel is something else."""
    return lambda board: panels(board)[0].update(values)


def shows(**values: object) -> Callable[[Board], None]:
    """The first panel's values are shown in another way."""
    return lambda board: panels(board)[0]["fieldConfig"]["defaults"].update(values)


def offers(number: int, **values: object) -> Callable[[Board], None]:
    """A variable is something else."""
    return lambda board: board["templating"]["list"][number].update(values)


GAUGE, COUNTER = 'airflow_dagbag_size{job="airflow"}', 'airflow_task_start{job="airflow"}'
OTHER = {"type": "prometheus", "uid": "prometheus"}
BREAKS: list[tuple[Rule, Callable[[Board], None]]] = [
    (rules.template_datasource, offers(0, name="ds")),
    (rules.template_datasource, offers(0, type="constant")),
    (rules.template_label_promql, offers(1, query="label_values(airflow_task_start{, dag_id)")),
    (rules.template_label_promql, offers(1, query="names(airflow_task_start)")),
    (rules.template_on_time_change_reload, offers(1, refresh=1)),
    (rules.template_on_time_change_reload, offers(1, datasource=OTHER)),
    (rules.panel_datasource, has(datasource=OTHER)),
    (rules.panel_datasource, lambda board: panels(board)[0]["targets"][0].pop("datasource")),
    (rules.panel_title_description, has(description="")),
    (rules.panel_title_description, has(title="")),
    (rules.panel_units, shows(unit="seconds")),
    (rules.panel_no_targets, has(targets=[])),
    (rules.target_promql, asks("sum(")),
    (rules.target_promql, asks("up{x='$nobody'}")),
    (rules.target_rate_interval, asks(f"rate({COUNTER}[5m])")),
    (rules.target_rate_interval, asks(f"increase({COUNTER}[$__rate_interval])")),
    (rules.target_job, asks("airflow_dagbag_size")),
    (rules.target_job, asks('sum(rate(statsd_exporter_lines_total{job="prometheus"}[1m]))')),
    (rules.target_counter_agg, asks(COUNTER)),
    (rules.target_counter_agg, asks(f"sum({COUNTER})")),
    (rules.target_counter_agg, asks(f"max_over_time({COUNTER}[5m])")),
    (rules.target_counter_agg, asks('airflow_task_duration_seconds_sum{job="airflow"}')),
    (rules.target_counter_agg, asks(f"rate({GAUGE}[5m])")),
    (rules.uneditable, lambda board: board.update(editable=True)),
    (rules.refresh, lambda board: board.update(refresh="5s")),
    (rules.refresh, lambda board: board["time"].update(to="now-1d")),
    (rules.known_metrics, asks("time() - airflow_zombies_killed")),
    (rules.known_metrics, asks("airflow_task_duration_seconds")),
    (rules.known_metrics, offers(1, query="label_values(airflow_dag_runs, dag_id)")),
    (rules.known_labels, asks('airflow_dagbag_size{dag="x"}')),
    (rules.known_labels, asks(f"sum by (task_id) ({GAUGE})")),
    (rules.known_labels, lambda b: panels(b)[0]["targets"][0].update(legendFormat="{{nobody}}")),
    (rules.legends, lambda board: panels(board)[0]["targets"][0].update(legendFormat="")),
    (rules.thresholds, shows(thresholds={"steps": [{"value": 1}]})),
    (rules.thresholds, shows(thresholds={"steps": [{"value": None}, {"value": 2}, {"value": 1}]})),
    (
        rules.links_of_series,
        lambda b: panel(b, "DAG Run Duration")["fieldConfig"].update(defaults={}),
    ),
    (rules.positions, has(gridPos={"x": 20, "y": 1, "w": 5, "h": 4})),
    (rules.positions, has(gridPos={"x": 0, "y": 0, "w": 4, "h": 4})),
    (rules.positions, has(id=2000, title="Tasks")),
    (rules.positions, lambda board: board["panels"][0].update(id=board["panels"][1]["id"])),
]


@pytest.mark.parametrize(("rule", "spoil"), BREAKS, ids=[f"{r.__name__}" for r, _ in BREAKS])
def test_a_rule_can_fail(rule: Rule, spoil: Callable[[Board], None]) -> None:
    spoiled = copy.deepcopy(DAG)
    spoil(spoiled)
    assert complaints(rule, spoiled)


def test_every_rule_is_shown_to_fail() -> None:
    assert {rule for rule, _ in BREAKS} == set(RULES)


# --- links ---


@each_board
def test_every_link_leads_somewhere(board: Board) -> None:
    found = [link["url"] for link in board["links"]]
    for shown in panels(board):
        found += [link["url"] for link in shown["fieldConfig"]["defaults"]["links"]]
    names = {v["name"] for b in BOARDS.values() for v in b["templating"]["list"]}
    for url in found:
        if inside := re.match(r"/d/([\w-]+)\?", url):
            assert inside[1] in BOARDS, url
            assert set(re.findall(r"var-(\w+)=", url)) <= names
        else:
            assert re.match(r"http://localhost:(8080|9090|8025)(/|$)", url), url
        for name in re.findall(r"\$\{(\w+)", url):
            assert name.startswith("__") or name in {v["name"] for v in board["templating"]["list"]}


def test_the_boards_lead_to_each_other() -> None:
    assert any(link["url"].startswith("/d/airflow-dag?") for link in OVERVIEW["links"])
    assert any(link["url"].startswith("/d/airflow-overview?") for link in DAG["links"])


# --- provisioning ---


def provisioned(name: str) -> dict[str, Any]:
    """One file of Grafana's provisioning."""
    return yaml.safe_load((PROVISIONING / name).read_text("utf-8"))


def test_the_datasource_is_the_stack_s_prometheus() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    scraped = yaml.safe_load((STACK / "prometheus" / "prometheus.yml").read_text("utf-8"))
    assert source["isDefault"] and not source["editable"]
    for board in BOARDS.values():
        (chosen,) = (v for v in board["templating"]["list"] if v["type"] == "datasource")
        current = chosen["current"]
        assert (source["name"], source["uid"]) == (current["text"], current["value"])
        assert source["type"] == chosen["query"]
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
    assert config.localise(source["url"]) == "http://127.0.0.1:9090"


def test_the_boards_are_provided_from_a_folder_that_each_way_to_start_names() -> None:
    (provider,) = provisioned("dashboards/boards.yml")["providers"]
    assert provider["options"]["path"] == "$DASHBOARDS"
    assert provider["disableDeletion"] and not provider["allowUiUpdates"]
    native = (STACK / "native" / "programs.py").read_text("utf-8")
    assert '"DASHBOARDS": str(STACK / "grafana" / "dashboards")' in native
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    container = compose["services"]["grafana"]
    mounted = dict(volume.split(":")[:2] for volume in container["volumes"])
    assert mounted["./stack/grafana/dashboards"] == container["environment"]["DASHBOARDS"]
    assert mounted["./stack/grafana/provisioning"] == "/etc/grafana/provisioning"
