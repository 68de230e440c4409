"""What the files of the stack say: its rules, its metric contract, and the queries of its pages.

It reads and sorts, and judges nothing.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from typing import Any

import promql_parser
import yaml

from stack import STACK

Rule = dict[str, Any]

RULE_FILES = sorted((STACK / "prometheus" / "rules").glob("*.yml"))
RULES: list[Rule] = [
    rule
    for path in RULE_FILES
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS: dict[str, Rule] = {rule["alert"]: rule for rule in RULES if "alert" in rule}
# A name may be recorded by several rules, each for a label of its own.
RECORDING: dict[str, list[Rule]] = {}
for rule in RULES:
    if "record" in rule:
        RECORDING.setdefault(rule["record"], []).append(rule)

CONTRACT: dict[str, dict[str, Any]] = {
    metric["name"]: metric
    for metric in tomllib.loads((STACK / "metrics.toml").read_text("utf-8"))["metric"]
}
# The exporter has these only once something went wrong.
ONLY_IN_TROUBLE = ("statsd_exporter_events_conflict_total", "statsd_exporter_sample_errors_total")
SUFFIXES = ("_bucket", "_sum", "_count")

RUNBOOKS = sorted(p for p in (STACK / "runbooks").glob("*.md") if p.name != "README.md")
FENCE = re.compile(r"^ *```promql\n(.*?)^ *```$", re.M | re.S)
# Page and query, for each that a reader is asked to type.
QUERIES: list[tuple[str, str]] = [
    (page.stem, textwrap.dedent(query).strip())
    for page in (*RUNBOOKS, STACK / "README.md")
    for query in FENCE.findall(page.read_text("utf-8"))
]


def contract_name(series: str) -> str | None:
    """The metric of the contract that has this series; a histogram has three, and no bare one."""
    if series in CONTRACT and CONTRACT[series]["type"] != "histogram":
        return series
    for suffix in SUFFIXES:
        base = series.removesuffix(suffix)
        if base != series and CONTRACT.get(base, {}).get("type") == "histogram":
            return base
    return None


def known(series: str) -> bool:
    """Whether the contract has it, or a rule records it."""
    return series in RECORDING or contract_name(series) is not None


def metrics_of(query: str) -> set[str]:
    """The metrics a query reads. A selector without a plain name is refused."""
    names: set[str] = set()

    def note(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, f"a selector has no metric name: {node}"
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(query), note)
    return names
