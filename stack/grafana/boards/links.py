"""Where the boards point to: each other, and the pages of the running stack.

Only addresses. The names in `${...}` are filled in by Grafana.
"""

from __future__ import annotations

from stack.grafana.boards.kit import Link

OVERVIEW, DAG = "airflow-overview", "airflow-dag"
AIRFLOW = "http://localhost:8080"
INBOX = "http://localhost:8025"
PROMETHEUS = "http://localhost:9090"
ALERTMANAGER = "http://localhost:9093"

TIME = "${__url_time_range}"
SERIES_DAG = "${__field.labels.dag_id}"
SERIES_TASK = "${__field.labels.task_id}"

# For a series with the label dag_id, and one with task_id too.
TO_DAG: list[Link] = [
    ("This DAG in Airflow", f"{AIRFLOW}/dags/{SERIES_DAG}"),
    ("This DAG's board", f"/d/{DAG}?var-dag_id={SERIES_DAG}&{TIME}"),
]
TO_TASK: list[Link] = [
    ("This task in Airflow", f"{AIRFLOW}/dags/{SERIES_DAG}/tasks/{SERIES_TASK}"),
    *TO_DAG,
]
# On the DAG board the variable says which DAG.
TO_CHOSEN_DAG: list[Link] = [("This DAG in Airflow", f"{AIRFLOW}/dags/${{dag_id}}")]
TO_CHOSEN_TASK: list[Link] = [
    ("This task in Airflow", f"{AIRFLOW}/dags/${{dag_id}}/tasks/{SERIES_TASK}"),
    *TO_CHOSEN_DAG,
]
TO_ALERTS: list[Link] = [("Alerts in Prometheus", f"{PROMETHEUS}/alerts")]
TO_IMPORT_ERRORS: list[Link] = [("DAGs in Airflow", f"{AIRFLOW}/dags")]
TO_TARGETS: list[Link] = [("Scrapes in Prometheus", f"{PROMETHEUS}/targets")]
