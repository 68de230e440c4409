"""The board "Airflow overview": four questions, in the order in which one asks them in trouble.

The same four questions order the alert rules.
"""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from stack.grafana.boards import alive, keeping_up, links, succeeding, trust
from stack.grafana.boards.kit import build, datasource_variable


def board() -> model.Dashboard:
    """The board as Grafana's own types."""
    return build(
        links.OVERVIEW,
        "Airflow overview",
        "Is Airflow alive, does it keep up, does the work succeed, and can this board be trusted?",
        [alive.row(), keeping_up.row(), succeeding.row(), trust.row()],
        [datasource_variable()],
        [
            ("DAG", f"/d/{links.DAG}?{links.TIME}"),
            ("Airflow", links.AIRFLOW),
            ("Alerts", f"{links.PROMETHEUS}/alerts"),
            ("Inbox", links.INBOX),
        ],
    )
