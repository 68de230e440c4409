"""A learner's marks as JUnit XML, which every CI server shows: a suite per part, a case per check.

It must not judge: a check that was not checked is skipped, one without a verdict is an error.
"""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from classroom.outputs.standing import not_judged
from classroom.result import Marked
from grader.judge.record import CheckResult, PartResult
from grader.report.text import lines, one_line

NOT_XML = re.compile("[^\\t\\n\\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(marked: Marked) -> bytes:
    """The file. Times are real seconds, of the part."""
    xml = JUnitXml(text(one_line(marked.learner.name)))
    suites = []
    for part in marked.record.parts:
        suite = TestSuite(text(f"{part.id[:2]} {one_line(part.title)}"))
        suite.add_testcases([case(part, check) for check in part.checks])
        suite.time = marked.seconds.get(part.id, 0.0)
        suites.append(suite)
        xml.add_testsuite(suite)
    # Not by `update_statistics`: Jenkins' schema has no `skipped` for all suites together.
    xml.tests, xml.errors = sum(s.tests for s in suites), sum(s.errors for s in suites)
    xml.failures, xml.time = sum(s.failures for s in suites), round(sum(s.time for s in suites), 2)
    return bytes(xml.tostring())


def case(part: PartResult, check: CheckResult) -> TestCase:
    """One check."""
    made = TestCase(text(one_line(check.title)), f"{part.id}.{check.id}")
    outcome: Error | Failure | Skipped
    message = "\n".join(lines(check.message or ""))
    if check.status == "passed":
        return made
    if not_judged(check):
        outcome = Error(text(one_line(message)), check.blame or "grader")
    elif check.status == "not_checked":
        outcome = Skipped()  # Jenkins' schema gives it no attributes
    else:
        outcome = Failure(text(first_line(message)), "failed")
    outcome.text = text(message)
    made.result = [outcome]
    return made


def first_line(message: str) -> str:
    """What happened, in one line."""
    found = [line for line in message.splitlines() if line.startswith("Happened: ")]
    return one_line(found[0].removeprefix("Happened: ") if found else message)


def text(string: str) -> str:
    """Only what XML can hold."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", string)
