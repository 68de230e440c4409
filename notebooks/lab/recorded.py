"""Replies of a stack, written down and played back: two httpx transports and the file they share.

A request is known by its method, service, path and what it asks; not by when it is asked. The same
request gets its replies in the order in which they were recorded, the last one for ever, so that
waiting for something ends. Nothing here knows what a reply means.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import promql_parser

from lab.problem import LabProblem

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parents[1] / "recorded"
MOMENTS = {"time", "start", "end"}
# What would tell of the machine on which it was recorded.
ELSEWHERE = {str(ROOT): "/home/you/airflow-by-doing", socket.gethostname(): "your-machine"}

Replies = dict[str, list[dict[str, Any]]]


def path_of(notebook: str) -> Path:
    """Where the replies for a notebook are."""
    return FOLDER / f"{notebook}.json"


def load(notebook: str) -> tuple[dt.datetime, Replies]:
    """When a notebook's replies were recorded, and the replies.

    Raises `LabProblem` if there are none.
    """
    try:
        stored = json.loads(path_of(notebook).read_text("utf-8"))
    except FileNotFoundError:
        raise LabProblem(f"there are no recorded replies for the notebook {notebook}.") from None
    return dt.datetime.fromisoformat(stored["recorded_at"]), stored["replies"]


def canonical(query: str) -> str:
    """A query in one spelling, whatever its blanks and line breaks."""
    try:
        return str(promql_parser.parse(query))
    except ValueError:
        return " ".join(query.split())


def key_of(service: str, request: httpx.Request) -> str:
    """What a request asks, in one line."""
    asked = dict(request.url.params)
    if {"start", "end"} <= asked.keys():
        asked["seconds"] = str(round(float(asked["end"]) - float(asked["start"])))
    if "query" in asked:
        asked["query"] = canonical(asked["query"])
    words = (f"{name}={asked[name]}" for name in sorted(asked) if name not in MOMENTS)
    return " ".join((request.method, service, request.url.path, *words))


class Recorder(httpx.BaseTransport):
    """Asks the real service and keeps what it said. Answers to one question share a moment, so a
    range that repeats the last one is kept once.
    """

    def __init__(self, service: str, replies: Replies):
        self._service = service
        self._replies = replies
        self._real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        response = self._real.handle_request(request)
        text = response.read().decode()
        if "/auth/" not in request.url.path:  # a login is a secret, and nobody needs it offline
            for real, shown in ELSEWHERE.items():
                text = text.replace(real, shown)
            reply = {"status": response.status_code, "json": json.loads(text or "null")}
            if isinstance(reply["json"], dict):
                reply["json"].pop("infos", None)  # in an order of their own each time
            known = self._replies.setdefault(key_of(self._service, request), [])
            if not known or known[-1] != reply or not request.url.path.endswith("/query_range"):
                known.append(reply)
        return response


class Replay(httpx.BaseTransport):
    """Answers from what was recorded. Raises `LabProblem` for a request that was not."""

    def __init__(self, service: str, replies: Replies):
        self._service = service
        self._replies = replies
        self._turn: dict[str, int] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The next reply to this request."""
        key = key_of(self._service, request)
        known = self._replies.get(key)
        if known is None:
            raise LabProblem(
                "you read recorded replies, and this request is not among them. "
                "To ask what you like, start the stack: make stack, or make stack-native"
            )
        turn = self._turn.get(key, 0)
        self._turn[key] = min(turn + 1, len(known) - 1)
        return httpx.Response(known[turn]["status"], json=known[turn]["json"], request=request)


def save(notebook: str, replies: Replies) -> None:
    """Write a notebook's replies, with the time of now."""
    stored = {"recorded_at": dt.datetime.now(dt.UTC).isoformat(), "replies": replies}
    FOLDER.mkdir(exist_ok=True)
    path_of(notebook).write_text(json.dumps(stored, separators=(",", ":")) + "\n", "utf-8")
