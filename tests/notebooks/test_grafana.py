"""What lab.grafana makes, against Grafana's own types; and what it sends, to a server in its place.

The schema checks are those of the stack's boards.
"""

from __future__ import annotations

import ast
import base64
import copy
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

sys.path.append(str(Path(__file__).parents[1] / "stack"))  # what the stack's own tests check with

import board_rules as rules
import test_boards
from grafana_types import compile_boards, compiler, lost, round_trip  # noqa: F401

from lab import grafana
from lab.grafana import Grafana
from stack import ROOT, STACK

Json = dict[str, Any]
SOURCE = ROOT / "notebooks" / "source" / "03_grafana_dashboard.py"
KINDS = ("timeseries", "bargauge")
# Those of the house's rules that hold for a board that a learner makes. The others want what it
# has not: variables, thresholds, links, and a board that cannot be edited.
RULES = (
    rules.panel_title_description,
    rules.panel_units,
    rules.panel_no_targets,
    rules.target_promql,
    rules.refresh,
    rules.known_metrics,
    rules.known_labels,
    rules.legends,
    rules.positions,
)


def panels_of_the_notebook() -> list[Json]:
    """All panels that the notebook makes, in its order."""
    calls = [
        node
        for node in ast.walk(ast.parse(SOURCE.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in KINDS
    ]
    made = []
    for call in sorted(calls, key=lambda call: call.lineno):
        given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        kind = getattr(grafana, call.func.attr)
        made.append(kind(*map(ast.literal_eval, call.args), **given))
    return made


def one_by_one(panels: list[Json]) -> list[Json]:
    """The panels without those that replace an earlier one of the same title."""
    return list({panel["title"]: panel for panel in panels}.values())


PANELS = panels_of_the_notebook()
BOARD = grafana.dashboard("heron", "Heron Mobile", one_by_one(PANELS), "heron-prometheus")


# --- what it makes ---


def test_the_notebook_makes_panels_of_every_kind() -> None:
    assert {panel["type"] for panel in PANELS} == set(KINDS)


@pytest.mark.parametrize("title", test_boards.SOURCE_PANELS)
def test_the_panels_of_the_source_are_there_to_the_letter(title: str) -> None:
    asked = [panel["targets"][0]["expr"] for panel in PANELS if panel["title"] == title]
    assert asked == [test_boards.SOURCE_PANELS[title]]


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_notebook_s_board_keeps_the_rule(rule: rules.Rule) -> None:
    assert rule(BOARD) == []


def test_grafana_s_library_knows_every_field() -> None:
    assert lost(BOARD, round_trip(BOARD)) == []


def test_the_board_compiles_against_grafana_s_types(
    compiler: list[str],  # noqa: F811
) -> None:
    spoiled = copy.deepcopy(BOARD)
    spoiled["panels"][0]["options"]["colour"] = "red"
    said = compile_boards(compiler, {"made": BOARD, "spoiled": spoiled}, "notebooks")
    assert said["made"] == ""
    assert "colour" in said["spoiled"]


def test_a_board_changes_no_panel_that_it_is_given() -> None:
    before = copy.deepcopy(PANELS)
    grafana.dashboard("one", "One", PANELS, "prometheus")
    assert before == PANELS


def test_every_panel_and_query_reads_from_the_datasource() -> None:
    source = {"type": "prometheus", "uid": "heron-prometheus"}
    for panel in BOARD["panels"]:
        assert [panel["datasource"], *(t["datasource"] for t in panel["targets"])] == [source] * 2


def test_grafana_knows_how_often_there_is_something_new() -> None:
    made = grafana.prometheus_datasource("heron", "http://prometheus:9090")
    path = STACK / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    (provisioned,) = yaml.safe_load(path.read_text("utf-8"))["datasources"]
    for name in ("type", "access"):
        assert made[name] == provisioned[name]
    assert made["jsonData"].items() <= provisioned["jsonData"].items()


def test_a_query_is_filled_in_as_grafana_does() -> None:
    asked = "rate(a[$__rate_interval]) + increase(b[$__range]) + rate(c[5m])"
    assert grafana.filled_in(asked, 15) == "rate(a[1m]) + increase(b[15m]) + rate(c[5m])"


# --- what it sends ---


class Server(ThreadingHTTPServer):
    """Stands in for Grafana: it remembers what it was sent, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Json | None, str]] = []
        self.answers: dict[tuple[str, str], tuple[int, Json]] = {
            ("GET", "/api/health"): (200, {"database": "ok", "version": "13.2.3"}),
            ("GET", "/api/datasources/uid/heron"): (404, {"message": "Data source not found"}),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def changes(self) -> list[tuple[str, str, Json | None]]:
        """What it was sent, without questions: method, path, body."""
        return [(method, path, body) for method, path, body, _ in self.asked if method != "GET"]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = json.loads(body) if body else None
        login = self.headers.get("Authorization", "")
        self.server.asked.append((self.command, self.path, sent, login))
        status, told = self.server.answers.get((self.command, self.path), (200, {}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode() if told is not None else b"<html>")

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def client(url: str) -> Grafana:
    return Grafana(httpx.Client(base_url=url, auth=("ada", "secret"), trust_env=False))


DATASOURCE = grafana.prometheus_datasource("heron", "http://prometheus:9090")


def test_a_new_datasource_is_created(server: Server) -> None:
    assert client(server.url).save_datasource(DATASOURCE) == "Grafana has the datasource heron."
    assert server.changes == [("POST", "/api/datasources", DATASOURCE)]


def test_a_known_datasource_is_replaced(server: Server) -> None:
    server.answers["GET", "/api/datasources/uid/heron"] = (200, {"id": 3})
    client(server.url).save_datasource(DATASOURCE)
    assert server.changes == [("PUT", "/api/datasources/uid/heron", DATASOURCE)]


def test_a_dashboard_is_created_or_replaced_by_the_same_request(server: Server) -> None:
    said = client(server.url).save_dashboard(BOARD)
    assert said == f"Grafana has the dashboard heron. Look: {server.url}/d/heron"
    body = {"dashboard": BOARD, "overwrite": True}
    assert server.changes == [("POST", "/api/dashboards/db", body)]


def test_every_request_carries_the_login(server: Server) -> None:
    it = client(server.url)
    it.save_datasource(DATASOURCE)
    it.save_dashboard(BOARD)
    expected = "Basic " + base64.b64encode(b"ada:secret").decode()
    assert {login for *_, login in server.asked} == {expected}


@pytest.mark.parametrize(
    ("status", "told", "expected"),
    [
        (200, {"status": "OK", "message": "It works."}, "OK: It works."),
        (400, {"status": "ERROR", "message": "no such host"}, "Grafana says: no such host"),
    ],
)
def test_a_datasource_is_tested_from_where_grafana_is(
    server: Server, status: int, told: Json, expected: str
) -> None:
    server.answers["GET", "/api/datasources/uid/heron/health"] = (status, told)
    assert client(server.url).test_datasource("heron") == expected


def test_a_refusal_is_one_line(server: Server) -> None:
    refusal = (401, {"message": "Invalid username or password"})
    server.answers["POST", "/api/datasources"] = refusal
    server.answers["POST", "/api/dashboards/db"] = refusal
    it = client(server.url)
    for said in (it.save_datasource(DATASOURCE), it.save_dashboard(BOARD)):
        assert said.endswith(" was not saved. Grafana says: Invalid username or password")
        assert "\n" not in said and "Look" not in said


def test_a_refusal_without_json_is_one_line(server: Server) -> None:
    server.answers["POST", "/api/dashboards/db"] = (502, None)
    said = client(server.url).save_dashboard(BOARD)
    assert said == "The dashboard heron was not saved. Grafana says: 502 Bad Gateway"


def free_url() -> str:
    """Where nobody listens."""
    with Server() as gone:
        return gone.url


def test_no_grafana_is_one_line_each() -> None:
    it = client(free_url())
    assert not it.is_here
    assert it.save_datasource(DATASOURCE).endswith("It would be: POST /api/datasources")
    assert it.save_dashboard(BOARD).endswith("It would be: POST /api/dashboards/db")
    for said in (it.save_datasource(DATASOURCE), it.save_dashboard(BOARD), it.test_datasource("x")):
        assert said.startswith("No Grafana here, so nothing was ")
        assert "\n" not in said


def test_another_program_on_the_port_is_not_taken_for_grafana(server: Server) -> None:
    server.answers["GET", "/api/health"] = (200, None)
    it = client(server.url)
    assert it.save_dashboard(BOARD).startswith("No Grafana here")
    assert it.save_datasource(DATASOURCE).startswith("No Grafana here")
    assert server.changes == []
