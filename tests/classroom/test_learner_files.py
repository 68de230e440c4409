"""What each learner gets: Gradescope, Exercism and JUnit, each against its own rules."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from io import BytesIO

import pytest
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped

from classroom.outputs import as_json, exercism, gradescope
from classroom.outputs.junit import junit

TEXT = {"type": "string"}
# Written down from Gradescope's page on `results.json`; it publishes no schema.
GRADESCOPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "integer", "minimum": 0},
        "output": TEXT,
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "test_output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "test_name_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "stdout_visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number", "minimum": 0},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "name": TEXT,
                    "name_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "number": TEXT,
                    "output": TEXT,
                    "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "tags": {"type": "array", "items": TEXT},
                    "visibility": {
                        "enum": ["hidden", "after_due_date", "after_published", "visible"]
                    },
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
# Written down from Exercism's page on the interface of test runners, version 3.
EXERCISM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "status", "tests"],
    "properties": {
        "version": {"const": 3},
        "status": {"enum": ["pass", "fail", "error"]},
        "message": {"type": ["string", "null"], "maxLength": 65_535},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "status"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "status": {"enum": ["pass", "fail", "error"]},
                    "message": {"type": ["string", "null"], "maxLength": 65_535},
                    "output": {"type": ["string", "null"], "maxLength": 500},
                    "test_code": TEXT,
                    "task_id": {"type": "integer", "minimum": 1},
                },
                "if": {"properties": {"status": {"enum": ["fail", "error"]}}},
                "then": {"required": ["message"], "properties": {"message": TEXT}},
            },
        },
    },
    "if": {"properties": {"status": {"const": "error"}}},
    "then": {"required": ["message"], "properties": {"message": TEXT}},
}
# Attributes and children, in their order, in the schema that Jenkins and JUnit 5 use.
JENKINS = {
    "testsuites": ("name time tests failures disabled errors", "testsuite"),
    "testsuite": (
        "name tests failures errors time disabled skipped timestamp hostname id package",
        "properties testcase system-out system-err",
    ),
    "testcase": (
        "name assertions time classname status", "skipped error failure system-out system-err"
    ),
    "failure": ("type message", ""),
    "error": ("type message", ""),
    "skipped": ("", ""),
}  # fmt: skip


@pytest.fixture
def learners(varied):
    return {marked.learner.id: marked for marked in varied.learners}


# --- Gradescope ---------------------------------------------------------------------------------


def test_gradescopes_file_is_what_gradescope_reads(varied):
    Draft202012Validator.check_schema(GRADESCOPE)
    for marked in varied.learners:
        data = json.loads(as_json(gradescope.results(marked)))
        Draft202012Validator(GRADESCOPE).validate(data)
        scores = [test["score"] for test in data["tests"] if "score" in test]
        assert data["score"] == sum(scores)


def test_gradescope_shows_each_check_with_its_marks_and_message(learners):
    data = gradescope.results(learners["omar"])
    assert data["score"] == 2
    loads = data["tests"][1]
    assert (loads["number"], loads["name"]) == ("01.1", "01.1 Title of loads.")
    assert (loads["score"], loads["max_score"], loads["status"]) == (0, 4, "failed")
    assert "Happened: `load` returned 3." in loads["output"]
    assert data["extra_data"]["versions"]["airflow"] == "3.3.2"
    assert data["execution_time"] == 4


def test_gradescope_gets_no_zero_for_what_was_lost(learners, make_marked, make_check):
    data = gradescope.results(learners["lost"])
    assert data["score"] == 2 and "could not be marked" in data["output"]
    for test in data["tests"][1:]:
        assert not {"score", "max_score", "status"} & set(test)
        assert "Lost" not in test["output"], "what broke in the grader is not for learners"
    lost = [make_check("greets", 1, "error", blame="grader")]
    nothing = gradescope.results(make_marked(hello=lost, train=lost))
    assert "score" not in nothing and not any("score" in test for test in nothing["tests"])


# --- Exercism -----------------------------------------------------------------------------------


def test_exercisms_file_is_what_exercism_reads(varied):
    Draft202012Validator.check_schema(EXERCISM)
    for marked in varied.learners:
        data = json.loads(as_json(exercism.results(marked)))
        Draft202012Validator(EXERCISM).validate(data)


def test_exercism_gets_a_status_a_message_and_a_task_for_each_check(learners):
    data = exercism.results(learners["omar"])
    assert data["status"] == "fail" and data["message"] is None
    assert [test["task_id"] for test in data["tests"]] == [1, 101, 102]
    assert [test["status"] for test in data["tests"]] == ["pass", "fail", "fail"]
    assert data["tests"][2]["message"] == "not checked because x"
    assert exercism.results(learners["ada"])["status"] == "pass"


def test_exercism_reads_an_error_where_nothing_could_be_judged(learners, make_marked, make_check):
    tests = exercism.results(learners["lost"])["tests"]
    assert [test["status"] for test in tests] == ["pass", "error", "error"]
    assert {test["message"] for test in tests[1:]} == {exercism.NOT_MARKED}
    lost = [make_check("greets", 1, "error", blame="grader")]
    data = exercism.results(make_marked(hello=lost, train=lost))
    assert data["status"] == "error" and "not your code's fault" in data["message"]


def test_a_message_for_exercism_has_an_end(make_marked, make_check):
    checks = [make_check("greets", 1, "failed", message="Happened: " + "x y\n" * 100_000)]
    data = exercism.results(make_marked(hello=checks))
    Draft202012Validator(EXERCISM).validate(data)
    assert exercism.shortened("x" * 70_000) == "x" * 65_531 + " ..."


# --- JUnit --------------------------------------------------------------------------------------


def test_junits_file_is_read_again_by_its_own_library(varied):
    for marked in varied.learners:
        xml = JUnitXml.fromstring(junit(marked))
        assert [suite.name for suite in xml] == ["00 Hello, you", "01 Train a model"]
        cases = [case for suite in xml for case in suite]
        checks = [check for part in marked.record.parts for check in part.checks]
        assert [case.name for case in cases] == [check.title for check in checks]
        kinds = {"passed": [], "failed": [Failure], "not_checked": [Skipped], "error": [Error]}
        for case, check in zip(cases, checks, strict=True):
            assert [type(result) for result in case.result] == kinds[check.status]


def test_junits_counts_and_seconds_add_up(learners):
    xml = JUnitXml.fromstring(junit(learners["omar"]))
    assert (xml.tests, xml.failures, xml.errors, xml.time) == (3, 1, 0, 3.75)
    train = list(xml)[1]
    assert (train.tests, train.failures, train.skipped, train.time) == (2, 1, 1, 2.5)
    failure = next(iter(train)).result[0]
    assert failure.message == "`load` returned 3."
    assert "Expected: `load` returns 4." in failure.text
    lost = JUnitXml.fromstring(junit(learners["lost"]))
    assert (lost.errors, lost.failures) == (2, 0)


def test_junits_file_keeps_to_the_schema_of_jenkins(varied):
    for marked in varied.learners:
        for element in ET.parse(BytesIO(junit(marked))).iter():
            attributes, children = (words.split() for words in JENKINS[element.tag])
            assert set(element.attrib) <= set(attributes), element.tag
            order = [children.index(child.tag) for child in element]
            assert order == sorted(order), element.tag
            if element.tag in ("testsuite", "testcase"):
                assert element.get("name")
            if element.tag == "testsuite":
                assert re.fullmatch(r"\d+", element.get("tests"))


def test_what_xml_cannot_hold_does_not_break_it(make_marked, make_check):
    odd = "a\x00b\x1b[31mc\ufffed\uffffe\ud800f]]>g&h<i>"
    checks = [make_check("greets", 1, "failed", message=f"Happened: {odd}", title=odd)]
    xml = JUnitXml.fromstring(junit(make_marked(name=odd, hello=checks)))
    text = next(iter(next(iter(xml)))).result[0].text
    assert text.startswith("Happened: abc") and text.endswith("f]]>g&h<i>")
