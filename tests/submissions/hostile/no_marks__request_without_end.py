"""A hundred megabytes in one request, many large ones, and more connections than there is room for kept open."""

# part: 03_custom_metrics
# slow
# message: no task `count_callers`|did not come back within 5 seconds
# seconds: 5

import contextlib
import resource
import socket
from urllib.parse import urlsplit

from airflow.sdk import Variable, dag, task

OPEN = []


@dag(dag_id="pipeline_metrics", schedule=None, params={"watched": "nobody"})
def pipeline_metrics():
    """A wrong DAG: nothing that is asked for is done."""

    @task
    def failure_ratio():
        """Never let go of a connection."""
        place = urlsplit(Variable.get("prometheus_url"))
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

        def connect(text):
            client = socket.create_connection((place.hostname, place.port), timeout=2)
            OPEN.append(client)
            client.sendall(text)
            return client

        with contextlib.suppress(OSError):
            endless = connect(b"POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n")
            for _ in range(100):
                endless.sendall(b"x" * 2**20)
        for _ in range(20):
            with contextlib.suppress(OSError):
                connect(b"POST /a HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 10**6)
        for _ in range(150):
            with contextlib.suppress(OSError):
                connect(b"GET /api/v1/query?query=")

    failure_ratio()


pipeline_metrics()
