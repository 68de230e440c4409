"""Garbage, names of 60 kB and a hundred thousand metrics, for its own server and each other one."""

# part: 03_custom_metrics
# message: went up by

import os
import pathlib
import socket

from airflow.sdk import dag, task


def neighbours():
    """The ports of other servers that listen for metrics, its own last."""
    own = int(os.environ["AIRFLOW__METRICS__STATSD_PORT"])
    lines = pathlib.Path("/proc/net/udp").read_text("ascii").splitlines()[1:]
    bound = {int(line.split()[1].partition(":")[2], 16) for line in lines}
    return [port for port in bound if port >= 32768 and port != own] + [own]


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def count_callers():
        """Send whatever goes into a datagram."""
        many = b"airflow.heron.callers_read,plan=flat:1|c\n" * 1000
        for port in neighbours():
            client = socket.socket(type=socket.SOCK_DGRAM)
            for number in range(2000):
                client.sendto(os.urandom(60_000), ("127.0.0.1", port)) if number < 100 else None
                client.sendto(b"x" * 60_000 + b"%d:1|c" % number, ("127.0.0.1", port))
            for _ in range(100):
                client.sendto(many, ("127.0.0.1", port))

    count_callers()


pipeline_metrics()
