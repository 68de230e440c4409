"""Prometheus' HTTP API as pandas frames. It draws nothing and judges nothing."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from lab.problem import LabProblem
from lab.service import Service

Labels = tuple[tuple[str, str], ...]
# The same for all that comes from one exporter: they say nothing in a table.
FROM_THE_SCRAPE = ("instance", "job")
NAMELESS = "value"  # a series without labels


class Prometheus(Service):
    """Queries, rules and alerts."""

    name = "Prometheus"

    def get(self, path: str, **asked: Any) -> Any:
        """The `data` of an answer."""
        return self.ask("GET", f"/api/v1{path}", params=asked)["data"]

    def query(self, promql: str) -> pd.DataFrame:
        """What a query gives now: a row per series, a column per label, and `value`.

        A scalar is one row. Labels that every series of a scrape has, `job` and `instance`, are
        left out unless they differ. No series at all is an empty frame with the column `value`.
        """
        data = self.get("/query", query=promql)
        if data["resultType"] == "scalar":
            data = {"result": [{"metric": {}, "value": data["result"]}]}
        rows = [s["metric"] | {"value": float(s["value"][1])} for s in data["result"]]
        frame = pd.DataFrame(rows, columns=None if rows else ["value"])
        frame = without_common(frame)
        return frame[[*(c for c in frame.columns if c != "value"), "value"]]

    def query_range(
        self, promql: str, minutes: float = 15, step: int = 15, end: float | None = None
    ) -> pd.DataFrame:
        """What a query gave in the minutes before `end` (seconds; now, if it is not given).

        A row per moment (UTC), a column per series.

        A column is named after the labels in which the series differ. Where a series had no value
        there is NaN.
        """
        series = self.series(promql, minutes, step, end or time.time())
        names = short_names(list(series))
        columns = {names[labels]: pd.Series(values) for labels, values in series.items()}
        frame = pd.DataFrame(columns)
        frame.index = pd.to_datetime(frame.index, unit="s", utc=True)
        return frame.sort_index()

    def compare(self, queries: dict[str, str], minutes: float = 15, step: int = 15) -> pd.DataFrame:
        """Several queries over the last minutes side by side, a column each, under your names.

        Raises `LabProblem` if one of them gives more than one series.
        """
        columns, end = {}, time.time()
        for name, promql in queries.items():
            frame = self.query_range(promql, minutes, step, end)
            if frame.shape[1] > 1:
                raise LabProblem(f"{promql} gives {frame.shape[1]} series; sum them to compare.")
            columns[name] = frame.sum(axis="columns", min_count=1)
        return pd.concat(columns, axis="columns", sort=True)

    def series(
        self, promql: str, minutes: float, step: int, end: float
    ) -> dict[Labels, dict[float, float]]:
        """The same as plain data: labels to moments (seconds) to values, up to `end`."""
        data = self.get(
            "/query_range", query=promql, start=end - minutes * 60, end=end, step=f"{step}s"
        )
        return {
            tuple(sorted(s["metric"].items())): {float(t): float(v) for t, v in s["values"]}
            for s in data["result"]
        }

    def samples(self, selector: str, minutes: int = 15) -> pd.DataFrame:
        """What was really stored of one series in the last minutes: `time` (UTC) and `value`.

        Raises `LabProblem` if the selector does not choose exactly one series.
        """
        data = self.get("/query", query=f"{selector}[{minutes}m]")["result"]
        if len(data) != 1:
            raise LabProblem(f"{selector} chooses {len(data)} series, and samples are of one.")
        times, values = zip(*data[0]["values"], strict=True)
        moments = pd.to_datetime(times, unit="s", utc=True).round("s")
        return pd.DataFrame({"time": moments, "value": [float(value) for value in values]})

    def rules(self) -> pd.DataFrame:
        """The alert rules: `alert`, `state`, `for_seconds`, `severity`, `query`."""
        groups = self.get("/rules", type="alert")["groups"]
        return pd.DataFrame(
            {
                "alert": rule["name"],
                "state": rule["state"],
                "for_seconds": int(rule["duration"]),
                "severity": rule["labels"].get("severity", ""),
                "query": rule["query"],
            }
            for group in groups
            for rule in group["rules"]
        )

    def alert_state(self, name: str, **labels: str) -> str:
        """What an alert with these labels is now: "inactive", "pending" or "firing"."""
        wanted = {"alertname": name, **labels}.items()
        raised = self.get("/alerts")["alerts"]
        states = [alert["state"] for alert in raised if wanted <= alert["labels"].items()]
        return max(states, key=("pending", "firing").index, default="inactive")


def without_common(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame without the labels that every series has from its scrape."""
    alike = [c for c in FROM_THE_SCRAPE if c in frame.columns and frame[c].nunique() == 1]
    return frame.drop(columns=[*alike, *(c for c in ("__name__",) if c in frame.columns)])


def short_names(all_labels: list[Labels]) -> dict[Labels, str]:
    """Names for the legend of a plot: the values of the labels that are not the same everywhere."""
    as_dicts = [dict(labels) for labels in all_labels]
    known = sorted({name for labels in as_dicts for name in labels} - {"__name__"})
    telling = [n for n in known if len({labels.get(n) for labels in as_dicts}) > 1]
    names = {}
    for labels in all_labels:
        values = dict(labels)
        parts = [values[name] for name in telling if name in values]
        named = [v for k, v in labels if k not in (*FROM_THE_SCRAPE, "__name__")]
        names[labels] = " ".join(parts or named) or values.get("__name__", NAMELESS)
    return names
