"""Garbage, names of 60 kB and a hundred thousand metrics."""

# part: 03_custom_metrics
# message: went up by

import os
import socket

from airflow.sdk import dag, task


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def count_callers():
        """Send whatever goes into a datagram."""
        many = b"airflow.heron.callers_read,plan=flat:1|c\n" * 1000
        # Only its own server: whatever else listens on this machine is not part of the test.
        client = socket.socket(type=socket.SOCK_DGRAM)
        client.connect(("127.0.0.1", int(os.environ["AIRFLOW__METRICS__STATSD_PORT"])))
        for number in range(2000):
            client.send(b"x" * 60_000 + b"%d:1|c" % number)
            if number < 100:
                client.send(os.urandom(60_000))
        for _ in range(100):
            client.send(many)

    count_callers()


pipeline_metrics()
