"""The real local servers a task can talk to: StatsD over UDP, SMTP, HTTP.

They live on the judging side, answer what the scenario says on sockets that the worker opened, and
note what they got. They must not judge it. Others can write to them, so what they keep has an end,
and nothing that they are sent makes them raise, print or wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import http.server
import logging
import math
import re
import socket
import threading
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Generic, TypeVar

from grader.scenario import HttpReply, Scenario, Server
from grader.transcript import Mail, Metric, Request

LIMIT = 10_000
TOTAL = 4 << 20  # characters that one server keeps in all
METRIC, MAIL, BODY, SUBJECT = 4_000, 256_000, 64_000, 2_000
CONNECTIONS = 100
LOOK = 0.02  # seconds between two looks at whether to stop; whoever stops a server waits for one
STATSD_LINE = re.compile(r"(?P<head>[^:|]+):(?P<value>[^|]+)\|(?P<type>[a-z]+)")

Fact = TypeVar("Fact")


class Kept(Generic[Fact]):
    """What a server got, up to a limit; what comes later is forgotten."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []
        self._left = TOTAL

    def add(self, fact: Fact, size: int) -> None:
        """Keep it, if there is room for its characters."""
        if len(self._facts) < LIMIT and size <= self._left:
            self._facts.append(fact)
            self._left -= size

    @property
    def so_far(self) -> list[Fact]:
        """A list that does not change any more."""
        return list(self._facts)


class StatsdServer:
    """Collects StatsD lines with InfluxDB tags."""

    def __init__(self, opened: socket.socket) -> None:
        self.metrics: Kept[Metric] = Kept()
        self._socket = opened
        self._socket.settimeout(LOOK)
        self._until = math.inf
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while time.monotonic() < self._until:  # somebody else may still be sending
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                if self._until < math.inf:
                    return
                continue
            for line in data.decode("utf-8", "replace").splitlines():
                if metric := parse_statsd(line):
                    self.metrics.add(metric, len(line))

    def stop(self) -> None:
        """Take what is still in the socket, then close it."""
        self._until = time.monotonic() + 2
        self._thread.join()
        self._socket.close()


def parse_statsd(line: str) -> Metric | None:
    """`airflow.ti.finish,state=success:1|c` as a metric; None if it is no StatsD line."""
    found = STATSD_LINE.match(line) if len(line) <= METRIC else None
    if found is None:
        return None
    name, *pairs = found["head"].split(",")
    tags = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    try:
        value = float(found["value"])
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return Metric(name=name, value=value, type=found["type"], tags=tags)


class SmtpServer:
    """Takes every mail."""

    def __init__(self, opened: socket.socket) -> None:
        # A tenth of a second that few scenarios need.
        from aiosmtpd.controller import BaseThreadedController
        from aiosmtpd.smtp import SMTP

        self.mails: Kept[Mail] = Kept()
        transports = self._transports = set[Any]()

        class Session(SMTP):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                transports.add(transport)
                if len(transports) > CONNECTIONS:
                    transport.abort()

            def connection_lost(self, error: Exception | None) -> None:
                transports.discard(self.transport)
                super().connection_lost(error)

        class Inbox(BaseThreadedController):
            def factory(self) -> SMTP:
                return Session(self.handler, **self.SMTP_kwargs)

            def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
                return self.loop.create_server(self._factory_invoker, sock=opened)

            def _trigger_server(self) -> None:
                """Without a connection: the socket's address may be in another network."""
                self.loop.call_soon_threadsafe(self._factory_invoker)

        # Standard error belongs to the report.
        logging.getLogger("mail.log").disabled = True
        self._controller = Inbox(self, data_size_limit=MAIL)
        self._controller.loop.set_exception_handler(lambda loop, context: None)
        self._controller.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd for each message."""
        try:
            mail = parse_mail(envelope)
        except Exception:  # `email` raises whatever it likes when a mail is none
            return "554 This is no mail"
        size = sum(map(len, (mail.sender, mail.subject, mail.body, *mail.recipients)))
        self.mails.add(mail, size)
        return "250 OK"

    def stop(self) -> None:
        """Stop listening, also in the middle of a session."""
        self._controller.loop.call_soon_threadsafe(self._hang_up)
        self._controller.stop()

    def _hang_up(self) -> None:
        for transport in list(self._transports):
            transport.abort()


def parse_mail(envelope: Any) -> Mail:
    """What a mail program would show. Raises anything."""
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    subject = next((v for k, v in message.raw_items() if k.lower() == "subject"), "")
    if len(subject) > SUBJECT:  # to decode a header can take the square of its length
        raise ValueError("a subject as long as a mail")
    body = message.get_body(("plain", "html"))
    return Mail(
        sender=str(envelope.mail_from),
        recipients=[str(r) for r in envelope.rcpt_tos],
        subject=str(message["subject"] or ""),
        body=str(body.get_content()) if body is not None else "",
    )


class Answers:
    """Gives each reply of a path once, in their order, and the last one from then on."""

    def __init__(self, replies: Mapping[str, tuple[HttpReply, ...]]) -> None:
        self._left = {path: list(row) for path, row in replies.items() if row}
        self._lock = threading.Lock()

    def next(self, path: str) -> HttpReply:
        """The next reply on a path; where there is none, 404."""
        with self._lock:
            row = self._left.get(path) or [HttpReply(status=404)]
            return row.pop(0) if len(row) > 1 else row[0]


class HttpServer:
    """Answers the scenario's replies by path; anything else is 404."""

    def __init__(self, replies: Mapping[str, tuple[HttpReply, ...]], opened: socket.socket) -> None:
        requests = self.requests = Kept[Request]()
        answers = Answers(replies)
        stopping = self._stopping = threading.Event()
        room = threading.Semaphore(CONNECTIONS)

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 30

            def answer(self) -> None:
                length = self.headers.get("content-length") or "0"
                size = min(int(length), BODY) if length.isdecimal() else 0
                body = self.rfile.read(size).decode("utf-8", "replace")
                request = Request(method=self.command, path=self.path, body=body)
                requests.add(request, len(self.path) + len(body))
                reply = answers.next(self.path.split("?")[0])
                stopping.wait(reply.delay)
                if reply.hang_up:
                    self.close_connection = True
                    return
                data = reply.body.encode()
                with contextlib.suppress(ConnectionError):  # whoever asked has given up
                    self.send_response(reply.status)
                    self.send_header("content-type", reply.content_type)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Standard error belongs to the report."""

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def verify_request(self, *about: Any) -> bool:
                return room.acquire(blocking=False)

            def process_request_thread(self, *about: Any) -> None:
                try:
                    super().process_request_thread(*about)
                finally:
                    room.release()

            def handle_error(self, *about: Any) -> None:
                """Who asked has hung up, or never meant to ask."""

        address = opened.getsockname()
        self._server = Listener(address, Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = opened
        threading.Thread(target=self._server.serve_forever, args=[LOOK], daemon=True).start()

    def stop(self) -> None:
        """Stop listening, also in the middle of a slow answer."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class Servers:
    """The servers that one scenario asks for, on the sockets that were opened for them."""

    def __init__(self, scenario: Scenario, sockets: dict[Server, socket.socket]):
        self._statsd = StatsdServer(sockets["statsd"]) if "statsd" in sockets else None
        self._smtp = SmtpServer(sockets["smtp"]) if "smtp" in sockets else None
        self._http = (
            HttpServer(scenario.http_replies, sockets["http"]) if "http" in sockets else None
        )

    def stop(self) -> dict[str, list[Any]]:
        """Stop them all; what they got, by the transcript's field names."""
        for server in (self._statsd, self._smtp, self._http):
            if server is not None:
                server.stop()
        return {
            "metrics": self._statsd.metrics.so_far if self._statsd else [],
            "mails": self._smtp.mails.so_far if self._smtp else [],
            "requests": self._http.requests.so_far if self._http else [],
        }
