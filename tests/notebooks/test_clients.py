"""The lab's clients against small real servers: frames, recordings, and what goes wrong."""

from __future__ import annotations

import datetime as dt
import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from lab import connection, plots, recorded
from lab.problem import LabProblem
from lab.prometheus import Prometheus
from lab.recorded import Recorder, Replay, Replies
from lab.waiting import wait_until

FAILED = {"__name__": "airflow_task_failed", "dag_id": "a", "job": "airflow", "instance": "x:9102"}


class Answers(ThreadingHTTPServer):
    """Says, one after the other, what it was given; the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Answers]:
    with Answers() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def vector(*series: tuple[dict[str, str], str]) -> dict[str, Any]:
    result = [{"metric": metric, "value": [1000, value]} for metric, value in series]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def prometheus(server: Answers, transport: httpx.BaseTransport | None = None) -> Prometheus:
    return Prometheus(httpx.Client(base_url=server.url, transport=transport, trust_env=False))


def test_a_query_is_a_frame_of_telling_labels(server: Answers) -> None:
    server.answers = [(200, vector((FAILED, "3"), (FAILED | {"dag_id": "b"}, "NaN")))]
    frame = prometheus(server).query("airflow_task_failed")
    assert list(frame.columns) == ["dag_id", "value"]
    assert frame["value"].iloc[0] == 3.0 and pd.isna(frame["value"].iloc[1])


def test_jobs_that_differ_are_shown(server: Answers) -> None:
    server.answers = [(200, vector(({"job": "a"}, "1"), ({"job": "b"}, "0")))]
    assert list(prometheus(server).query("up").columns) == ["job", "value"]


def test_no_series_is_an_empty_frame(server: Answers) -> None:
    server.answers = [(200, vector())]
    assert list(prometheus(server).query("x").columns) == ["value"]


def test_a_range_has_a_column_per_series(server: Answers) -> None:
    result = [
        {"metric": FAILED, "values": [[1000, "1"], [1015, "2"]]},
        {"metric": FAILED | {"dag_id": "b"}, "values": [[1015, "5"]]},
    ]
    data = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    server.answers = [(200, data)]
    frame = prometheus(server).query_range("airflow_task_failed")
    assert list(frame.columns) == ["a", "b"]
    assert frame.index[0] == dt.datetime.fromtimestamp(1000, dt.UTC)
    assert pd.isna(frame["b"].iloc[0]) and frame["b"].iloc[1] == 5.0


def test_what_prometheus_refuses_is_a_line(server: Answers) -> None:
    server.answers = [(400, {"status": "error", "error": 'parse error: unexpected "}"'})]
    with pytest.raises(LabProblem, match=r"^Prometheus says: parse error") as problem:
        prometheus(server).query("}")
    assert problem.value._render_traceback_() == [f"lab: {problem.value}"]


def test_a_stack_that_went_away_is_a_line(server: Answers) -> None:
    client = prometheus(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(LabProblem, match=r"Prometheus does not answer at .*make stack-status"):
        client.query("up")


def test_what_was_recorded_is_played_back_in_its_order(server: Answers) -> None:
    replies: Replies = {}
    server.answers = [(200, vector((FAILED, n))) for n in ("1", "1", "2")]
    live = prometheus(server, Recorder("prometheus", replies))
    seen = [live.query("sum(airflow_task_failed)")["value"].iloc[0] for _ in range(4)]
    assert seen == [1, 1, 2, 2]
    asked = len(server.asked)
    offline = prometheus(server, Replay("prometheus", replies))
    played = [offline.query("sum( airflow_task_failed )")["value"].iloc[0] for _ in range(4)]
    assert played == [1, 1, 2, 2]
    assert len(server.asked) == asked


def test_a_refusal_is_played_back_too(server: Answers) -> None:
    replies: Replies = {}
    server.answers = [(422, {"status": "error", "error": "too much"})]
    for transport in (Recorder("prometheus", replies), Replay("prometheus", replies)):
        with pytest.raises(LabProblem, match="too much"):
            prometheus(server, transport).query("x")


def test_a_recording_does_not_tell_where_it_was_made(server: Answers) -> None:
    replies: Replies = {}
    server.answers = [(200, vector(({"file_path": f"{recorded.ROOT}/solutions/x.py"}, "1")))]
    prometheus(server, Recorder("prometheus", replies)).query("x")
    assert str(recorded.ROOT) not in json.dumps(replies)
    assert "/home/you/airflow-by-doing/solutions/x.py" in json.dumps(replies)


def test_waiting_ends_with_a_line() -> None:
    with pytest.raises(LabProblem, match=r"it rains: that did not happen within 0 s"):
        wait_until("it rains", lambda: False, seconds=0)
    with pytest.raises(LabProblem, match=r"^take an umbrella$"):
        wait_until("it rains", lambda: False, pause=0, or_else="take an umbrella")
    assert wait_until("it rains", iter((0, 0, 3)).__next__, pause=0) == 3


@pytest.fixture
def nowhere(server: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no stack runs."""
    port = server.server_port
    server.shutdown()
    server.server_close()
    monkeypatch.setattr(connection, "PORTS", dict.fromkeys(connection.PORTS, port))


def test_without_a_stack_recorded_replies_are_read(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAB", raising=False)
    assert not connection.connect("02_prometheus_queries").live
    assert capsys.readouterr().out.startswith("Offline: you read what a stack said on ")


def test_a_stack_that_has_to_be_up_and_is_not_is_a_line(
    nowhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB", "live")
    with pytest.raises(LabProblem, match=r"^the stack is not up. In a terminal: make stack"):
        connection.connect("02_prometheus_queries")


def test_unknown_words_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB", "off")
    with pytest.raises(LabProblem, match="LAB is 'off'; it can be live, offline or record"):
        connection.connect("02_prometheus_queries")
    monkeypatch.setenv("LAB", "offline")
    with pytest.raises(LabProblem, match="no recorded replies for the notebook 99_nothing"):
        connection.connect("99_nothing")


def test_nothing_is_not_drawn() -> None:
    empty = pd.DataFrame({"value": []})
    for draw in (plots.plot, plots.bars):
        with pytest.raises(LabProblem, match="nothing to draw for 'Tries'"):
            draw(empty, "Tries", "tries")


def test_a_value_that_is_infinite_is_left_out() -> None:
    moments = pd.date_range("2026-01-01", periods=4, freq="15s", tz="UTC")
    shares = pd.DataFrame({"a": [0.5, math.inf, 1.0, -math.inf], "b": [math.inf] * 4}, moments)
    plt.switch_backend("agg")
    plots.plot(shares, "Shares", "share")
    drawn = plt.gca()
    assert len(drawn.get_lines()) == 1
    assert 1 < drawn.get_ylim()[1] < 2
    plt.close("all")


def test_a_recording_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    replies: Replies = {"GET x /": [{"status": 200, "json": 1}]}
    recorded.save("01_x", replies)
    when, read = recorded.load("01_x")
    assert read == replies
    assert dt.datetime.now(dt.UTC) - when < dt.timedelta(minutes=1)
