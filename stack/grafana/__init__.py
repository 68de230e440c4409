"""The Grafana boards as files, and the queries in them.

Reads JSON only: it needs neither Grafana nor the library that builds the boards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
DASHBOARDS = HERE / "dashboards"
PROVISIONING = HERE / "provisioning"
LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), *(?P<label>\w+)\)")


class Expression(NamedTuple):
    """One query of a board, ready to be sent to Prometheus."""

    board: str
    panel: str
    text: str
    # Whether the panel draws it over time; if not, it shows what is true now.
    over_time: bool = False


def load_boards() -> dict[str, dict[str, Any]]:
    """Every board in the tree by its uid."""
    files = sorted(DASHBOARDS.glob("*.json"))
    return {board["uid"]: board for board in (json.loads(f.read_text("utf-8")) for f in files)}


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels that show something: all but the rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def fill_in(text: str, dag_id: str, window: str = "1h") -> str:
    """Replace the variables as Grafana would with a scrape every 15 s."""
    values = {"__rate_interval": "1m", "__range": window, "dag_id": dag_id}
    return re.sub(r"\$(\w+)", lambda match: values[match[1]], text)


def expressions(dag_id: str = "hello_airflow", window: str = "1h") -> Iterator[Expression]:
    """Every query of every panel, and the series behind each variable."""
    for uid, board in load_boards().items():
        for variable in board["templating"]["list"]:
            if found := LABEL_VALUES.fullmatch(str(variable["query"])):
                yield Expression(uid, f"variable {variable['name']}", found["series"])
        for panel in panels(board):
            over_time = panel["type"] == "timeseries"
            for target in panel["targets"]:
                text = fill_in(target["expr"], dag_id, window)
                yield Expression(uid, panel["title"], text, over_time)
