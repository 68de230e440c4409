"""The row "Is it alive?" of the overview.

The alerts of this question: stack/prometheus/rules/alive.yml.
"""

from __future__ import annotations

from stack.grafana.boards import links
from stack.grafana.boards.kit import GOOD_IS_NONE, Row, lines, numbers
from stack.grafana.boards.queries import per_minute


def row() -> Row:
    """Is it alive?"""
    return "Is it alive?", [
        numbers(
            "Alerts firing",
            "Alerts that fire now, without the Watchdog. Anything above 0 waits for somebody.",
            "short",
            ('count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or vector(0)', "alerts"),
            limits=GOOD_IS_NONE,
            links=links.TO_ALERTS,
        ),
        numbers(
            "Heartbeats per minute",
            "How often each process says that it lives: about 12 times a minute. "
            "0 means that it is dead, stuck, or cannot reach the exporter.",
            "short",
            (per_minute("airflow_scheduler_heartbeat"), "scheduler"),
            (per_minute("airflow_dag_processor_heartbeat"), "DAG processor"),
            (per_minute("airflow_triggerer_heartbeat"), "triggerer"),
            width=9,
            limits=((None, "red"), (1, "orange"), (6, "green")),
        ),
        numbers(
            "Import errors",
            "DAG files that cannot be read. Their DAGs do not run, or run as they were before.",
            "short",
            ('max(airflow_dag_processing_import_errors{job="airflow"})', "files"),
            limits=GOOD_IS_NONE,
            links=links.TO_IMPORT_ERRORS,
        ),
        numbers(
            "DAGs found",
            "DAGs in all files of the last round. A sudden drop means lost files or import errors.",
            "short",
            ('max(airflow_dagbag_size{job="airflow"})', "DAGs"),
            limits=((None, "red"), (1, "green")),
            width=3,
        ),
        numbers(
            "Files waiting",
            "DAG files in line to be read. A number that only grows means a stuck DAG processor.",
            "short",
            ('max(airflow_dag_processing_file_path_queue_size{job="airflow"})', "files"),
        ),
        lines(
            "Heartbeats over time",
            "The same heartbeats. A line at 0 tells when a process fell silent.",
            "short",
            ("airflow:heartbeat:increase_1m", "{{process}}"),
            limits=((None, "red"), (1, "green")),
            top=15,
        ),
        lines(
            "Parse time",
            "Seconds to read all DAG files, and the share of one DAG. "
            "Above 30 s new code shows late: look for work at the top level of a file.",
            "s",
            ('max(airflow_dag_processing_total_parse_time{job="airflow"})', "all files"),
            (
                'max(airflow_dag_processing_total_parse_time{job="airflow"})'
                ' / max(airflow_dagbag_size{job="airflow"})',
                "per DAG",
            ),
            limits=((None, "green"), (30, "red")),
        ),
        lines(
            "Alerts over time",
            "Which alerts fire. Watchdog always does: without it, alerting itself is broken.",
            "short",
            ('sum by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}"),
            links=links.TO_ALERTS,
        ),
    ]
