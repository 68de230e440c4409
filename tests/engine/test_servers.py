"""Metrics, mails and requests: what a scenario's local servers got, and what they answered."""

from __future__ import annotations

import smtplib
import socket
import threading
from http.client import RemoteDisconnected
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from probing import Probe, Seen, ran, source

from grader.observe.servers import Servers, parse_statsd
from grader.scenario import HttpReply, Scenario
from grader.transcript import Metric
from grader.worker.sockets import environment, open_sockets

METRICS = source(
    """
    @task
    def counts():
        stats.incr("orders.done", 3, tags={"shop": "north"})
        stats.gauge("orders.open", 2.5)
        stats.timing("orders.time", timedelta(seconds=1.5))
        with stats.timer("orders.wait"):
            time.sleep(600)

    @task(retries=1, retry_delay=timedelta(minutes=1))
    def fails():
        raise ValueError

    counts() >> fails()
    """,
    before="from airflow.sdk.observability import stats",
)
MAILS = source(
    """
    @task(
        on_failure_callback=SmtpNotifier(
            from_email="dag@heron.test",
            to="team@heron.test",
            subject="{{ ti.task_id }} failed",
            html_content="<b>{{ ds }}</b>",
        )
    )
    def fails():
        raise ValueError("bad")

    letter = EmailOperator(
        task_id="letter",
        from_email="dag@heron.test",
        to=["a@heron.test", "b@heron.test"],
        subject="Grüße",
        html_content="All {{ params.what }}.",
    )
    fails()
    """,
    'schedule=None, params={"what": "good"}',
    before="""
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier
    from airflow.providers.smtp.operators.smtp import EmailOperator
    """,
)
REQUESTS = source(
    """
    @task
    def asks():
        place = Variable.get("place")
        with urlopen(place + "/price?of=x") as reply:
            price = [reply.status, reply.headers["content-type"], reply.read().decode()]
        sent = Request(place + "/orders", data="ü=1".encode(), method="PUT")
        try:
            urlopen(sent)
        except HTTPError as error:
            broken = [error.code, error.read().decode()]
        return price + broken

    @task
    def asks_in_vain():
        urlopen(Variable.get("place") + "/nowhere")

    @task
    def waits_in_vain():
        started = time.perf_counter()
        try:
            urlopen(Variable.get("place") + "/slow", timeout=0.3)
        except TimeoutError:
            return time.perf_counter() - started

    @task
    def by_connection():
        nest = BaseHook.get_connection("nest")
        return [nest.host, nest.port, urlopen(f"http://{nest.host}:{nest.port}/price").status]

    asks() >> waits_in_vain() >> by_connection() >> asks_in_vain()
    """,
    before="""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from airflow.sdk import BaseHook, Variable
    """,
)
REPLIES = {
    "/price": (HttpReply(body='{"x": 3}'),),
    "/orders": (HttpReply(status=503, body="later", content_type="text/plain"),),
    "/slow": (HttpReply(delay=30),),
}
PROBES = {
    "metrics": Probe(METRICS, (ran(servers=("statsd",)), ran("silent"))),
    "mails": Probe(MAILS, (ran(servers=("smtp",)),)),
    "requests": Probe(
        REQUESTS,
        (
            ran(
                servers=("http",),
                http_replies=REPLIES,
                variables={"place": "{http}"},
                connections={"nest": "{http}"},
            ),
        ),
    ),
}


def metrics(seen: Seen, name: str, **tags: str) -> list[Metric]:
    """The metrics of a name that carry these tags."""
    found = seen("metrics", "run").metrics
    return [m for m in found if m.name == name and tags.items() <= m.tags.items()]


@pytest.mark.parametrize(
    ("task_id", "state", "count"),
    [("counts", "success", 1), ("fails", "up_for_retry", 1), ("fails", "failed", 1)],
)
def test_airflows_own_metrics(task_id: str, state: str, count: int, seen: Seen) -> None:
    tags = {"dag_id": "probe", "task_id": task_id}
    found = metrics(seen, "airflow.ti.finish", state=state, **tags)
    assert [(m.value, m.type) for m in found] == [(1.0, "c")] * count


def test_starts_failures_and_durations(seen: Seen) -> None:
    assert len(metrics(seen, "airflow.ti.start", task_id="fails")) == 2
    assert len(metrics(seen, "airflow.ti_failures", task_id="fails")) == 2
    (duration,) = metrics(seen, "airflow.task.duration", task_id="counts")
    assert duration.type == "ms" and duration.value > 0
    assert len(metrics(seen, "airflow.dagrun.duration.failed", dag_id="probe")) == 1


def test_metrics_of_the_learners_own(seen: Seen) -> None:
    (done,) = metrics(seen, "airflow.orders.done", shop="north")
    (opened,) = metrics(seen, "airflow.orders.open")
    (took,) = metrics(seen, "airflow.orders.time")
    assert (done.value, done.type) == (3.0, "c")
    assert (opened.value, opened.type) == (2.5, "g")
    assert (took.value, took.type) == (1500.0, "ms")
    (waited,) = metrics(seen, "airflow.orders.wait")
    assert waited.type == "ms" and 600_000 <= waited.value < 605_000, "virtual time, in ms"


def test_no_name_is_sent_twice(seen: Seen) -> None:
    """The old dotted names are off: a sum over both would count double."""
    names = {m.name for m in seen("metrics", "run").metrics}
    assert not [n for n in names if "probe" in n or "counts" in n]


def test_without_the_server_nothing_is_noted(seen: Seen) -> None:
    silent = seen("metrics", "silent")
    assert (silent.metrics, silent.mails, silent.requests) == ([], [], [])
    assert silent.runs[0].state == "failed"
    assert [t.state for t in silent.runs[0].tries] == ["success", "up_for_retry", "failed"]


def test_mails(seen: Seen) -> None:
    by_subject = {m.subject: m for m in seen("mails").mails}
    assert set(by_subject) == {"fails failed", "Grüße"}
    failed, letter = by_subject["fails failed"], by_subject["Grüße"]
    assert (failed.sender, failed.recipients) == ("dag@heron.test", ["team@heron.test"])
    assert "<b>2024-03-05</b>" in failed.body
    assert letter.recipients == ["a@heron.test", "b@heron.test"]
    assert "All good." in letter.body
    assert seen.only_try("mails", "letter").state == "success"


def test_requests_and_their_replies(seen: Seen) -> None:
    value = seen.only_try("requests", "asks").xcoms["return_value"].json_value
    assert value == [200, "application/json", '{"x": 3}', 503, "later"]
    found = [(r.method, r.path, r.body) for r in seen("requests").requests]
    assert found == [
        ("GET", "/price?of=x", ""),
        ("PUT", "/orders", "ü=1"),
        ("GET", "/slow", ""),
        ("GET", "/price", ""),
        ("GET", "/nowhere", ""),
    ]


def test_a_path_without_a_reply_is_not_found(seen: Seen) -> None:
    error = seen.only_try("requests", "asks_in_vain").error
    assert error is not None
    assert (error.type, "404" in error.message) == ("HTTPError", True)
    assert error.line == PROBES["requests"].line("/nowhere")


def test_a_slow_reply_holds_nobody_up(seen: Seen) -> None:
    waited = seen.only_try("requests", "waits_in_vain").xcoms["return_value"].json_value
    assert 0.25 < waited < 15
    assert seen("requests").timings["scenario"] < 25


def test_a_connection_leads_to_the_server(seen: Seen) -> None:
    host, port, status = seen.only_try("requests", "by_connection").xcoms["return_value"].json_value
    assert (host, status) == ("127.0.0.1", 200)
    assert port > 1024


def serve(scenario: Scenario) -> tuple[Servers, dict[str, str]]:
    """The scenario's servers, in this process, and what leads to them."""
    sockets = open_sockets(scenario)
    return Servers(scenario, sockets), environment(scenario, sockets)


def test_replies_on_a_path_come_in_their_order_and_the_last_one_stays() -> None:
    row = (
        HttpReply(status=429, headers={"Retry-After": "30"}),
        HttpReply(hang_up=True),
        HttpReply(body="well"),
    )
    servers, settings = serve(
        Scenario(servers=("http",), http_replies={"/x": row}, variables={"place": "{http}"})
    )
    place = settings["AIRFLOW_VAR_PLACE"]
    with pytest.raises(HTTPError) as busy:
        urlopen(f"{place}/x?n=1", timeout=5)
    assert (busy.value.code, busy.value.headers["Retry-After"]) == (429, "30")
    with pytest.raises(RemoteDisconnected):
        urlopen(f"{place}/x", timeout=5)
    assert [urlopen(f"{place}/x", timeout=5).read() for _ in range(2)] == [b"well"] * 2
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{place}/y", timeout=5)
    assert [r.path for r in servers.stop()["requests"]] == ["/x?n=1", "/x", "/x", "/x", "/y"]


def test_who_gives_up_waiting_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    replies = {"/slow": (HttpReply(delay=30, body="x" * 10_000_000),)}
    servers, settings = serve(
        Scenario(servers=("http",), http_replies=replies, variables={"place": "{http}"})
    )
    place = settings["AIRFLOW_VAR_PLACE"]
    with pytest.raises(TimeoutError):
        urlopen(f"{place}/slow", timeout=0.2)
    answering = [t for t in threading.enumerate() if "process_request_thread" in t.name]
    assert len(servers.stop()["requests"]) == len(answering) == 1
    answering[0].join(10)
    assert not answering[0].is_alive()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("a.b:1|c", Metric(name="a.b", value=1, type="c")),
        ("a,x=1,y=:2.5|ms", Metric(name="a", value=2.5, type="ms", tags={"x": "1", "y": ""})),
        ("a,broken:-1|g", Metric(name="a", value=-1, type="g")),
        ("a:x|c", None),
        ("a:1", None),
        ("", None),
        ("\x00\ufffd", None),
    ],
)
def test_a_line_of_statsd(line: str, metric: Metric | None) -> None:
    assert parse_statsd(line) == metric


def test_a_burst_of_metrics_is_kept() -> None:
    servers, settings = serve(Scenario(servers=("statsd",)))
    place = "127.0.0.1", int(settings["AIRFLOW__METRICS__STATSD_PORT"])
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        for number in range(200):
            client.sendto(f"heron.orders,shop=north:{number}|c".encode(), place)
    assert [m.value for m in servers.stop()["metrics"]] == list(range(200))


def test_servers_close_their_ports() -> None:
    servers, settings = serve(Scenario(servers=("http", "smtp"), variables={"place": "{http}"}))
    ports = [
        int(settings["AIRFLOW_VAR_PLACE"].rpartition(":")[2]),
        int(settings["AIRFLOW_CONN_SMTP_DEFAULT"].rpartition(":")[2].split("?")[0]),
    ]
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert servers.stop() == {"metrics": [], "mails": [], "requests": []}
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_what_a_flood_leaves_has_an_end(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines, requests and mails that no client sends are forgotten, in silence."""
    servers, settings = serve(
        Scenario(servers=("statsd", "http", "smtp"), variables={"place": "{http}"})
    )
    statsd = "127.0.0.1", int(settings["AIRFLOW__METRICS__STATSD_PORT"])
    web = "127.0.0.1", int(settings["AIRFLOW_VAR_PLACE"].rpartition(":")[2])
    inbox = settings["AIRFLOW_CONN_SMTP_DEFAULT"].rpartition(":")[2].split("?")[0]
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        for line in (b"x" * 60_000 + b":1|c", b"a:nan|c", b"a:1e999|c", b"\xff\x00:1|"):
            client.sendto(line, statsd)
    for length in (b"abc", b"-1"):
        with socket.create_connection(web, timeout=5) as client:
            client.sendall(b"POST /a HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")
            assert client.recv(100)  # it does not wait for a body
    with smtplib.SMTP("127.0.0.1", int(inbox), timeout=5) as client:
        for header in (b"=?raw_unicode_escape?q?=5Cud800?=", b"x" * 900 + b"\r\n " * 300_000):
            with pytest.raises(smtplib.SMTPResponseException):
                client.sendmail("a@example.com", "b@example.com", b"Subject: " + header)
    got = servers.stop()
    assert (got["metrics"], got["mails"]) == ([], [])
    assert [request.body for request in got["requests"]] == ["", ""]
    assert capfd.readouterr().err == ""
