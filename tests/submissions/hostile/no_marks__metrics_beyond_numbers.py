"""Metrics that are no number, with tags of 50 kB in red, and a ratio that no float can hold."""

# part: 03_custom_metrics
# message: went up by: flat -9e

import os
import socket
from urllib.request import urlopen

from airflow.sdk import Variable, dag, task


def send(line):
    """Past Airflow, straight to the server."""
    place = "127.0.0.1", int(os.environ["AIRFLOW__METRICS__STATSD_PORT"])
    socket.socket(type=socket.SOCK_DGRAM).sendto(line.encode(), place)


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def count_callers():
        """Infinitely many of them, and a name in red."""
        send("airflow.heron.callers_read,plan=family:1e999|c")
        send("airflow.heron.callers_read,plan=flat:-9e307|c")
        send("airflow.heron.callers_read,plan=prepaid:nan|c")
        send("airflow.\x1b[31m[red]heron" + "n" * 50_000 + ":1|c")

    @task
    def score_callers():
        """Return nothing and claim a timing."""
        send("airflow.heron.scoring_time,plan=flat,x=" + "[bold]\x1b]0;x\x07" * 4000 + ":nan|ms")

    @task
    def failure_ratio(params):
        """Ask what has to be asked, and return something larger than a float."""
        query = f"query=up%7Bdag_id%3D%22{params['watched']}%22%7D"
        urlopen(f"{Variable.get('prometheus_url')}/api/v1/query?{query}", timeout=2)
        return 10**400

    count_callers()
    score_callers()
    failure_ratio()


pipeline_metrics()
