"""Patches `urlopen`, the metrics' client and its socket, so that all seems to have been sent."""

# part: 03_custom_metrics
# message: No metric `heron.callers_read` arrived

import io
import socket
import urllib.request
from unittest import mock

from airflow.sdk import dag, task
from airflow.sdk.observability import stats

ANSWER = b'{"status": "success", "data": {"result": [{"value": [1, "0"]}]}}'
urllib.request.urlopen = lambda *args, **kwargs: io.BytesIO(ANSWER)
urllib.request.OpenerDirector.open = urllib.request.urlopen
socket.socket.sendto = lambda self, data, *place: len(data)
stats.incr = stats.gauge = stats.timing = stats.timer = mock.MagicMock()
mock.MagicMock.__eq__ = lambda self, other: True


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def count_callers():
        """Count for nobody."""
        stats.incr("heron.callers_read", 30, tags={"plan": "flat"})

    @task
    def failure_ratio():
        """Ask nobody."""
        return float(urllib.request.urlopen("http://prometheus").read()[-6:-5] == b"?")

    @task.branch
    def choose_way(ratio):
        """Choose without a reason."""
        return "all_quiet"

    @task
    def all_quiet():
        """Say so."""

    count_callers()
    choose_way(failure_ratio()) >> all_quiet()


pipeline_metrics()
