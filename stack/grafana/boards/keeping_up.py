"""The row "Is it keeping up?" of the overview.

The alerts of this question: stack/prometheus/rules/keeping_up.yml.
"""

from __future__ import annotations

from stack.grafana.boards import links
from stack.grafana.boards.kit import Row, lines
from stack.grafana.boards.queries import quantile


def row() -> Row:
    """Is it keeping up?"""
    delayed = ((None, "green"), (60, "red"))
    return "Is it keeping up?", [
        lines(
            "Schedule delay (p95)",
            "How late scheduled runs start: of the last hour's runs, 95 of 100 were this late or "
            "less. Over a minute the scheduler is behind. A DAG just switched on looks late once.",
            "s",
            (
                quantile(0.95, "airflow_dagrun_schedule_delay_seconds", "dag_id", window="1h"),
                "{{dag_id}}",
            ),
            limits=delayed,
            links=links.TO_DAG,
        ),
        lines(
            "First task start delay (p95)",
            "From when a scheduled run was due until its first task began, over the last hour. "
            "If only this one is high, slots are missing.",
            "s",
            (
                quantile(
                    0.95, "airflow_dagrun_first_task_start_delay_seconds", "dag_id", window="1h"
                ),
                "{{dag_id}}",
            ),
            limits=delayed,
            links=links.TO_DAG,
        ),
        lines(
            "Scheduler loop (p95)",
            "One turn of the scheduler, and the part of it that holds the lock on the task queue. "
            "Several seconds mean a slow database or too much to look at.",
            "s",
            ("airflow:scheduler_loop_seconds:p95_5m", "whole turn"),
            (quantile(0.95, "airflow_scheduler_critical_section_seconds"), "critical section"),
            limits=((None, "green"), (5, "red")),
        ),
        lines(
            "Executor",
            "How many tasks can run at once, run, and wait. Bad: as many run as can, and others "
            "wait. They are counted in the pools: the LocalExecutor does not count them.",
            "short",
            ("airflow:executor_capacity:slots", "places"),
            ('sum(airflow_pool_running_slots{job="airflow"})', "running"),
            ('sum(airflow_pool_queued_slots{job="airflow"})', "queued"),
        ),
        lines(
            "Pool use",
            "Taken share of the slots of each pool. At 100 % further tasks have to wait.",
            "percentunit",
            ("airflow:pool_usage:ratio", "{{pool_name}}"),
            limits=((None, "green"), (0.8, "orange"), (1, "red")),
            top=1,
        ),
        lines(
            "Starving tasks",
            "Tasks that wanted a slot and got none, and those that wait in each pool. "
            "Lasting values: make the pool larger or start fewer runs at once. "
            "While every pool is full, only the pool lines move.",
            "short",
            ('max(airflow_scheduler_tasks_starving{job="airflow"})', "starving"),
            (
                'sum by (pool_name) (airflow_pool_scheduled_slots{job="airflow"})',
                "waiting in {{pool_name}}",
            ),
        ),
    ]
