"""The queries that both boards share. Nothing in here knows Grafana's library.

Rare events are counted over long windows with increase(): a daily run leaves no trace in a
rate over one minute.
"""

from __future__ import annotations

JOB = 'job="airflow"'
RUN_ENDED = "airflow_dagrun_duration_seconds_count"
SUCCESS, FAILED, TO_RETRY = 'state="success"', 'state="failed"', 'state="up_for_retry"'

# As the course document writes them, to the letter.
TASK_SUCCESS_RATE = "rate(airflow_task_success[5m]) / rate(airflow_task_start[5m])"
DAG_RUN_DURATION = "avg(airflow_dagrun_duration_seconds) by (dag_id)"
TASK_FAILURES = "sum(rate(airflow_task_failed[5m])) by (dag_id)"


def selected(metric: str, *matchers: str) -> str:
    """The series of Airflow's exporter."""
    return f"{metric}{{{', '.join((JOB, *filter(None, matchers)))}}}"


def summed(by: str) -> str:
    """`sum`, by some labels or over everything."""
    return f"sum by ({by})" if by else "sum"


def counted(metric: str, *matchers: str, by: str = "", window: str = "$__range") -> str:
    """How often something happened in the time that the reader has chosen."""
    increase = f"increase({selected(metric, *matchers)}[{window}])"
    return f"{summed(by)} ({increase})" if by else f"sum({increase})"


def per_minute(metric: str) -> str:
    """How often a minute, and 0 if nothing of it has ever been heard."""
    return f"60 * sum(rate({selected(metric)}[$__rate_interval])) or vector(0)"


def quantile(q: float, metric: str, by: str = "", *matchers: str, window: str = "") -> str:
    """A quantile of a histogram; without a window, of the newest values."""
    labels = ", ".join(filter(None, (by, "le")))
    buckets = selected(f"{metric}_bucket", *matchers)
    change = f"increase({buckets}[{window}])" if window else f"rate({buckets}[$__rate_interval])"
    return f"histogram_quantile({q}, sum by ({labels}) ({change}))"


def mean(metric: str, by: str, *matchers: str, window: str) -> str:
    """The mean of a histogram's values over a window."""
    total = counted(f"{metric}_sum", *matchers, by=by, window=window)
    return f"{total} / {counted(f'{metric}_count', *matchers, by=by, window=window)}"
