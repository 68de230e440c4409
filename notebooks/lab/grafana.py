"""Grafana's HTTP API: a datasource, panels, a dashboard. Grafana is the one part that may be away.

Field names: Grafana 13's HTTP API and dashboard model. tests/notebooks compiles what is made here
against Grafana's own types.
"""

from __future__ import annotations

from typing import Any

import httpx

from lab.problem import LabProblem
from lab.service import Service

Json = dict[str, Any]
WIDTH, HEIGHT = 12, 8  # of a grid that is 24 wide
SCRAPE = "15s"  # as in stack/prometheus/prometheus.yml
# Grafana fills in these when a panel is drawn. $__rate_interval is four scrapes, or more if there
# are not enough pixels for that.
RATE_INTERVAL = "1m"


class Grafana(Service):
    """Saves datasources and dashboards, or says in one line that there is no Grafana."""

    name = "Grafana"

    @property
    def is_here(self) -> bool:
        """Whether it answers; anything else that listens there does not count."""
        try:
            told = self._http.get("/api/health").json()
        except (httpx.TransportError, ValueError):
            return False
        return isinstance(told, dict) and "database" in told

    def save_datasource(self, datasource: Json) -> str:
        """Create or replace a datasource; what came of it, in one line."""
        uid = datasource["uid"]
        known = self.is_here and self._http.get(f"/api/datasources/uid/{uid}").is_success
        path = f"/api/datasources/uid/{uid}" if known else "/api/datasources"
        return self._send("PUT" if known else "POST", path, datasource, f"datasource {uid}")

    def test_datasource(self, uid: str) -> str:
        """What the button *Save & test* says: a line that begins with "OK" if Grafana gets data."""
        if not self.is_here:
            return "No Grafana here, so nothing was tested."
        try:
            told = self.ask("GET", f"/api/datasources/uid/{uid}/health")
        except LabProblem as problem:
            return str(problem)
        return f"{told['status']}: {told['message']}"

    def save_dashboard(self, dashboard: Json) -> str:
        """Create or replace a dashboard; what came of it, in one line, with its address."""
        uid = dashboard["uid"]
        body = {"dashboard": dashboard, "overwrite": True}
        where = f" Look: {self._http.base_url.join(f'/d/{uid}')}"
        return self._send("POST", "/api/dashboards/db", body, f"dashboard {uid}", where)

    def _send(self, method: str, path: str, body: Json, what: str, where: str = "") -> str:
        if not self.is_here:
            return f"No Grafana here, so nothing was sent. It would be: {method} {path}"
        try:
            self.ask(method, path, json=body)
        except LabProblem as problem:
            return f"The {what} was not saved. {problem}"
        return f"Grafana has the {what}.{where}"


def prometheus_datasource(uid: str, url: str) -> Json:
    """A datasource of the type Prometheus, at an address that Grafana itself can reach."""
    return {
        "uid": uid,
        "name": uid,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "jsonData": {"timeInterval": SCRAPE, "httpMethod": "POST"},
    }


def timeseries(title: str, description: str, promql: str, *, unit: str, legend: str) -> Json:
    """A panel of lines. `unit` is one of Grafana's: "s", "percentunit", "cps", "short"."""
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {
                "showLegend": True,
                "displayMode": "list",
                "placement": "bottom",
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [target(promql, legend, over_time=True)],
    }


def bargauge(title: str, description: str, promql: str, *, unit: str, legend: str) -> Json:
    """A panel with a bar for what each series is now, in whole numbers."""
    return {
        "type": "bargauge",
        "title": title,
        "description": description,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "decimals": 0}, "overrides": []},
        "options": {
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "displayMode": "basic",
            "valueMode": "color",
            "namePlacement": "auto",
            "showUnfilled": True,
            "sizing": "auto",
            "minVizWidth": 8,
            "minVizHeight": 16,
            "maxVizHeight": 300,
            "legend": {
                "showLegend": False,
                "displayMode": "list",
                "placement": "bottom",
                "calcs": [],
            },
        },
        "targets": [target(promql, legend, over_time=False)],
    }


def target(promql: str, legend: str, *, over_time: bool) -> Json:
    """A query of a panel: over the time that is shown, or at its end."""
    return {
        "refId": "A",
        "expr": promql,
        "legendFormat": legend,
        "range": over_time,
        "instant": not over_time,
    }


def filled_in(promql: str, minutes: float) -> str:
    """A query as Grafana sends it when so many minutes are shown."""
    shown = f"{minutes:.0f}m"
    return promql.replace("$__rate_interval", RATE_INTERVAL).replace("$__range", shown)


def dashboard(uid: str, title: str, panels: list[Json], datasource_uid: str) -> Json:
    """A dashboard with two panels in a row, all reading from one datasource."""
    source = {"type": "prometheus", "uid": datasource_uid}
    placed = [
        panel
        | {
            "id": number + 1,
            "datasource": source,
            "targets": [query | {"datasource": source} for query in panel["targets"]],
            "gridPos": {
                "x": number % 2 * WIDTH,
                "y": number // 2 * HEIGHT,
                "w": WIDTH,
                "h": HEIGHT,
            },
        }
        for number, panel in enumerate(panels)
    ]
    return {
        "uid": uid,
        "title": title,
        "schemaVersion": 42,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "15s",
        "templating": {"list": []},
        "panels": placed,
    }
