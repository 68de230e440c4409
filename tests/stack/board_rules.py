"""What a good board is: the rules of Grafana's dashboard linter, and a few of the house.

Each rule takes a board as JSON and returns its complaints, "panel: what is wrong".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import grafana_foundation_sdk.models.units as grafana_units
import promql_parser as promql
from stack_files import CONTRACT, RECORDING, contract_name

from stack.grafana import LABEL_VALUES, fill_in, panels

Board = dict[str, Any]
Rule = Callable[[Board], list[str]]

UNITS = {value for name, value in vars(grafana_units).items() if name[0].isupper()}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Each fills in as a length of time that no query writes by itself.
RATE_INTERVAL, RANGE = "61s", "3601s"
ADDED = {"job", "instance", "le"}


# What a rule may hand on as labels: every word of its query, and those that it adds.
RECORDED = {
    name: " ".join(f"{rule['expr']} {' '.join(rule.get('labels', {}))}" for rule in rules)
    for name, rules in RECORDING.items()
}


def queries(board: Board) -> Iterator[tuple[str, str]]:
    """Panel and query, with variables as the reader wrote them."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def parse(text: str) -> promql.Expr:
    """Variables get a value, then it has to be PromQL. Raises KeyError or ValueError."""
    text = text.replace("$__rate_interval", RATE_INTERVAL).replace("$__range", RANGE)
    return promql.parse(fill_in(text, "some_dag"))


def walk(expr: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every node with the nodes above it."""
    yield expr, above
    children = [getattr(expr, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for child in [*children, getattr(expr, "param", None), *getattr(expr, "args", [])]:
        if child is not None:
            yield from walk(child, (*above, expr))


def selectors(text: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every series that a query selects, with the nodes above it. None if it is not PromQL."""
    try:
        tree = parse(text)
    except (KeyError, ValueError):
        return
    for node, above in walk(tree):
        if isinstance(node, promql.VectorSelector):
            yield node, above


def function_of(above: tuple[Any, ...]) -> str:
    """The function that gets the range of a series, if there is one."""
    if len(above) < 2 or not isinstance(above[-1], promql.MatrixSelector):
        return ""
    return above[-2].func.name if isinstance(above[-2], promql.Call) else ""


# --- the linter's rules ---


def template_datasource(board: Board) -> list[str]:
    found = [v for v in board["templating"]["list"] if v["type"] == "datasource"]
    good = [("datasource", "Data source", "prometheus")]
    return [] if [(v["name"], v["label"], v["query"]) for v in found] == good else ["no datasource"]


def template_label_promql(board: Board) -> list[str]:
    asked = [v for v in board["templating"]["list"] if v["type"] == "query"]
    found = [(v["name"], LABEL_VALUES.fullmatch(v["query"])) for v in asked]
    return [name for name, match in found if not match or not list(selectors(match["series"]))]


def template_on_time_change_reload(board: Board) -> list[str]:
    asked = [v for v in board["templating"]["list"] if v["type"] == "query"]
    return [v["name"] for v in asked if v.get("refresh") != 2 or v.get("datasource") != SOURCE]


def panel_datasource(board: Board) -> list[str]:
    return [
        panel["title"]
        for panel in panels(board)
        if any(shown.get("datasource") != SOURCE for shown in (panel, *panel.get("targets", [])))
    ]


def panel_title_description(board: Board) -> list[str]:
    return [
        f"{panel.get('title')}: {panel.get('id')}"
        for panel in panels(board)
        if not panel.get("title") or len(panel.get("description", "")) < 20
    ]


def panel_units(board: Board) -> list[str]:
    units = {p["title"]: p["fieldConfig"]["defaults"].get("unit") for p in panels(board)}
    return [f"{title}: {unit}" for title, unit in units.items() if unit not in UNITS]


def panel_no_targets(board: Board) -> list[str]:
    return [panel["title"] for panel in panels(board) if not panel.get("targets")]


def target_promql(board: Board) -> list[str]:
    return [f"{title}: {text}" for title, text in queries(board) if not list(selectors(text))]


def target_rate_interval(board: Board) -> list[str]:
    """rate() looks at $__rate_interval and nothing else does; counts may take longer windows."""
    wrong = []
    for title, text in queries(board):
        for _, above in selectors(text):
            if not above or not isinstance(above[-1], promql.MatrixSelector):
                continue
            fits = above[-1].range.total_seconds() == float(RATE_INTERVAL.removesuffix("s"))
            if fits != (function_of(above) in {"rate", "irate"}):
                wrong.append(f"{title}: {text}")
    return wrong


def target_job(board: Board) -> list[str]:
    """What the exporter serves is asked for with its job; recorded series have none."""
    wrong = []
    for title, text in queries(board):
        for selector, _ in selectors(text):
            matchers = {(m.name, m.value) for m in selector.matchers.matchers}
            ours = str(selector.name).startswith(("airflow_", "statsd_exporter_"))
            if ours and selector.name not in RECORDED and ("job", "airflow") not in matchers:
                wrong.append(f"{title}: {selector.name}")
    return wrong


def target_counter_agg(board: Board) -> list[str]:
    """Counters, and the series of histograms, only inside rate or increase; gauges never."""
    wrong = []
    for title, text in queries(board):
        for selector, above in selectors(text):
            if selector.name in RECORDED or not (name := contract_name(str(selector.name))):
                continue
            counting = function_of(above) in {"rate", "irate", "increase"}
            if counting != (CONTRACT[name]["type"] != "gauge"):
                wrong.append(f"{title}: {selector.name}")
    return wrong


def uneditable(board: Board) -> list[str]:
    return [] if board["editable"] is False else ["editable"]


# --- the house's rules ---


def refresh(board: Board) -> list[str]:
    """Not more often than there is something new (15 s), and about now."""
    seconds = re.fullmatch(r"(\d+)s", board["refresh"])
    fresh = seconds is not None and 15 <= int(seconds[1]) <= 60
    return [] if fresh and board["time"]["to"] == "now" else [board["refresh"]]


def known_metrics(board: Board) -> list[str]:
    asked = [v["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    series = [(m["series"], m["series"]) for q in asked if (m := LABEL_VALUES.fullmatch(q))]
    return [
        f"{title}: {selector.name}"
        for title, text in (*queries(board), *series)
        for selector, _ in selectors(text)
        if selector.name not in RECORDED and not contract_name(str(selector.name))
    ]


def known_labels(board: Board) -> list[str]:
    """Labels in matchers, groupings and legends are labels that the metrics have."""
    wrong = []
    for panel in panels(board):
        for target in panel.get("targets", []):
            has, used = set(ADDED), set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            for group in re.findall(r"by \(([^)]*)\)", target["expr"]):
                used |= set(re.split(r", *", group))
            for selector, _ in selectors(target["expr"]):
                used |= {m.name for m in selector.matchers.matchers}
                name = contract_name(str(selector.name))
                recorded_as = RECORDED.get(str(selector.name), "")
                has |= set(re.findall(r"\w+", recorded_as) if recorded_as else ())
                has |= set(CONTRACT[name]["labels"] if name and not recorded_as else ())
            wrong += [f"{panel['title']}: {label}" for label in sorted(used - has)]
    return wrong


def legends(board: Board) -> list[str]:
    return [
        panel["title"]
        for panel in panels(board)
        if not all(t.get("legendFormat") for t in panel.get("targets", []))
        or len({t.get("legendFormat") for t in panel["targets"]}) != len(panel["targets"])
    ]


def thresholds(board: Board) -> list[str]:
    """The first colour has no value, the others rise."""
    wrong = []
    for panel in panels(board):
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        values = [step.get("value") for step in steps[1:]]
        if not steps or steps[0].get("value") is not None or values != sorted(set(values)):
            wrong.append(panel["title"])
    return wrong


def links_of_series(board: Board) -> list[str]:
    """A series that names its DAG leads to that DAG in Airflow, and to its board from elsewhere."""
    wrong = []
    for panel in panels(board):
        urls = [link["url"] for link in panel["fieldConfig"]["defaults"].get("links", [])]
        legend = " ".join(t["legendFormat"] for t in panel.get("targets", []))
        wanted = []
        if "{{dag_id}}" in legend:
            wanted.append("http://localhost:8080/dags/${")
            wanted += ["/d/airflow-dag?"] if board["uid"] != "airflow-dag" else []
        if "{{task_id}}" in legend:
            wanted.append("/tasks/${__field.labels.task_id}")
        wrong += [f"{panel['title']}: {w}" for w in wanted if not any(w in url for url in urls)]
    return wrong


def positions(board: Board) -> list[str]:
    """Every panel is inside the 24 columns, below its row, and on no other; numbers are unique."""
    taken: dict[tuple[int, int], str] = {}
    wrong = []
    for panel in board["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = [(column, line) for column in range(x, x + w) for line in range(y, y + h)]
        if x < 0 or x + w > 24 or not cells or any(cell in taken for cell in cells):
            wrong.append(panel["title"])
        taken |= dict.fromkeys(cells, panel["title"])
    ids = [panel["id"] for panel in board["panels"]]
    titles = [panel["title"] for panel in board["panels"]]
    wrong += ["ids"] if len(set(ids)) != len(ids) or not all(ids) else []
    return wrong + (["titles"] if len(set(titles)) != len(titles) else [])


RULES: tuple[Rule, ...] = (
    template_datasource,
    template_label_promql,
    template_on_time_change_reload,
    panel_datasource,
    panel_title_description,
    panel_units,
    panel_no_targets,
    target_promql,
    target_rate_interval,
    target_job,
    target_counter_agg,
    uneditable,
    refresh,
    known_metrics,
    known_labels,
    legends,
    thresholds,
    links_of_series,
    positions,
)
