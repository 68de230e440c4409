"""The real local servers a task can talk to: StatsD over UDP, SMTP, HTTP. All on 127.0.0.1.

They live on the judging side, answer what the scenario says, and note what they got. They must
not judge it.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import http.server
import re
import socket
import threading
from typing import Any

from grader.scenario import HttpReply, Scenario
from grader.transcript import Mail, Metric, Request

LIMIT = 10_000
STATSD_LINE = re.compile(r"(?P<head>[^:|]+):(?P<value>[^|]+)\|(?P<type>[a-z]+)")


class StatsdServer:
    """Collects StatsD lines with InfluxDB tags."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Lines that come faster than they are read wait here; what does not fit is lost.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                if self._stopping.is_set():
                    return
                continue
            for line in data.decode("utf-8", "replace").splitlines():
                if (metric := parse_statsd(line)) and len(self.metrics) < LIMIT:
                    self.metrics.append(metric)

    def stop(self) -> None:
        """Take what is still in the socket, then close it."""
        self._stopping.set()
        self._thread.join()
        self._socket.close()


def parse_statsd(line: str) -> Metric | None:
    """`airflow.ti.finish,state=success:1|c` as a metric; None if it is no StatsD line."""
    found = STATSD_LINE.match(line)
    if found is None:
        return None
    name, *pairs = found["head"].split(",")
    tags = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    try:
        return Metric(name=name, value=float(found["value"]), type=found["type"], tags=tags)
    except ValueError:
        return None


class SmtpServer:
    """Takes every mail."""

    def __init__(self) -> None:
        from aiosmtpd.controller import Controller  # a tenth of a second that few scenarios need

        self.mails: list[Mail] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.port: int = self._controller.port

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd for each message."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        mail = Mail(
            sender=str(envelope.mail_from),
            recipients=[str(r) for r in envelope.rcpt_tos],
            subject=str(message["subject"] or ""),
            body=str(body.get_content()) if body is not None else "",
        )
        if len(self.mails) < LIMIT:
            self.mails.append(mail)
        return "250 OK"

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()


class HttpServer:
    """Answers the scenario's replies by path; anything else is 404."""

    def __init__(self, replies: dict[str, HttpReply]) -> None:
        self.requests: list[Request] = []
        stopping = self._stopping = threading.Event()
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = min(int(self.headers.get("content-length") or 0), 1 << 20)
                body = self.rfile.read(length).decode("utf-8", "replace")
                if len(requests) < LIMIT:
                    requests.append(Request(method=self.command, path=self.path, body=body))
                reply = replies.get(self.path.split("?")[0], HttpReply(status=404))
                stopping.wait(reply.delay)
                data = reply.body.encode()
                with contextlib.suppress(ConnectionError):  # whoever asked has given up
                    self.send_response(reply.status)
                    self.send_header("content-type", reply.content_type)
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Standard error belongs to the report."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop listening, also in the middle of a slow answer."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """The servers that one scenario asks for, and the environment that leads to them."""

    def __init__(self, scenario: Scenario):
        self.environment: dict[str, str] = {}
        self._statsd = StatsdServer() if "statsd" in scenario.servers else None
        self._smtp = SmtpServer() if "smtp" in scenario.servers else None
        self._http = HttpServer(scenario.http_replies) if "http" in scenario.servers else None
        if self._statsd:
            self.environment |= {
                "AIRFLOW__METRICS__STATSD_ON": "True",
                "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__STATSD_PORT": str(self._statsd.port),
            }
        if self._smtp:
            self.environment["AIRFLOW_CONN_SMTP_DEFAULT"] = (
                f"smtp://127.0.0.1:{self._smtp.port}?disable_ssl=true&disable_tls=true"
            )
        places = {"http": f"http://127.0.0.1:{self._http.port}" if self._http else ""}
        for name, value in scenario.variables.items():
            self.environment[f"AIRFLOW_VAR_{name.upper()}"] = value.replace(
                "{http}", places["http"]
            )
        for name, value in scenario.connections.items():
            self.environment[f"AIRFLOW_CONN_{name.upper()}"] = value.replace(
                "{http}", places["http"]
            )

    def stop(self) -> dict[str, list[Any]]:
        """Stop them all; what they got, by the transcript's field names."""
        for server in (self._statsd, self._smtp, self._http):
            if server is not None:
                server.stop()
        return {
            "metrics": self._statsd.metrics if self._statsd else [],
            "mails": self._smtp.mails if self._smtp else [],
            "requests": self._http.requests if self._http else [],
        }
