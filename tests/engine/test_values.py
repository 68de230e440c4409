"""What goes into a task and what comes out: XComs that are JSON or not, Variables, Connections."""

from __future__ import annotations

import re

import pytest
from probing import Probe, Seen, ran, source

VALUES = source(
    """
    @task
    def a_time():
        return datetime(2024, 1, 1, tzinfo=UTC)

    @task
    def a_tuple():
        return (1, 2)

    @task
    def a_set():
        return {1}

    @task
    def an_object():
        return Bird()

    @task
    def not_a_number():
        return float("nan")

    @task
    def nothing():
        return None

    @task
    def long_text():
        return "x" * 300_000

    a_time(), a_tuple(), a_set(), an_object(), not_a_number(), nothing(), long_text()
    """,
    before="class Bird:\n    def __repr__(self):\n        return 'a heron'",
)
CONFIGURED = source(
    """
    @task
    def asks():
        from airflow.sdk import BaseHook, Variable

        bird = BaseHook.get_connection("nest")
        return [Variable.get("bird"), Variable.get("none", default="?"), bird.host, bird.login]

    asks()
    """
)
PROBES = {
    "values": Probe(VALUES),
    "configured": Probe(
        CONFIGURED,
        (ran(variables={"bird": "heron"}, connections={"nest": "http://me:secret@tree.test:1"}),),
    ),
}


@pytest.mark.parametrize(
    ("task_id", "kind", "looks"),
    [
        ("a_time", "datetime.datetime", "2024|1704067200"),
        ("a_tuple", "tuple", r"\[1, 2\]"),
        ("a_set", "set", r"\[1\]"),
        ("long_text", "str of 300,002 characters", "xxx"),
    ],
)
def test_a_value_that_is_not_json(task_id: str, kind: str, looks: str, seen: Seen) -> None:
    value = seen.only_try("values", task_id).xcoms["return_value"]
    assert (value.is_json, value.type, value.json_value) == (False, kind, None)
    assert re.search(looks, value.repr)
    assert len(value.repr) < 1000


@pytest.mark.parametrize(
    ("task_id", "said"), [("an_object", "Cannot serialize object"), ("not_a_number", "not JSON")]
)
def test_a_value_that_airflow_cannot_take(task_id: str, said: str, seen: Seen) -> None:
    refused = seen.only_try("values", task_id)
    assert (refused.state, refused.xcoms) == ("failed", {})
    assert refused.error is not None
    assert said in refused.error.message


def test_nothing_is_no_value(seen: Seen) -> None:
    assert seen.only_try("values", "nothing").xcoms == {}


def test_variables_and_connections(seen: Seen) -> None:
    value = seen.only_try("configured", "asks").xcoms["return_value"]
    assert value.json_value == ["heron", "?", "tree.test", "me"]
