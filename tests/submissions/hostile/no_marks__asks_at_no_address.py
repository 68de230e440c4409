"""Asks the local server for an address that no parser takes, with lengths that are none."""

# part: 03_custom_metrics
# message: no task `count_callers`

import socket
import struct
from urllib.parse import urlsplit

from airflow.sdk import Variable, dag, task


def say(text, *, abort=False):
    """Send it and hang up, with `abort` in the middle of things."""
    place = urlsplit(Variable.get("prometheus_url"))
    with socket.create_connection((place.hostname, place.port), timeout=5) as client:
        if abort:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(text.encode("latin-1"))


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def failure_ratio():
        """Ask in ways that nobody asks."""
        say("GET http://[x/api/v1/query?query=up HTTP/1.1\r\n\r\n")
        say("POST /api/v1/query HTTP/1.1\r\nContent-Length: abc\r\n\r\nquery=up")
        say("POST /api/v1/query HTTP/1.1\r\nContent-Length: 9999\r\n\r\nquery", abort=True)
        say("GET /api/v1", abort=True)
        say("\xff\xfe\x00 \x1b[31m \r\n\r\n")

    failure_ratio()


pipeline_metrics()
