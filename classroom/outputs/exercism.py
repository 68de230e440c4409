"""A learner's marks in version 3 of Exercism's test runner interface.

Its `test_code` is the sentence that the learner reads: the code of a check is hidden. It must not
judge.
"""

from __future__ import annotations

from typing import Any

from classroom.outputs.standing import marks_of, not_judged
from classroom.result import Marked
from grader.judge.record import CheckResult, PartResult
from grader.report.text import lines, one_line

LONGEST = 65_535
STATUS = {"passed": "pass", "failed": "fail", "not_checked": "fail", "error": "error"}
NOTHING = "Nothing could be marked. That is not your code's fault."
NOT_MARKED = "This could not be marked. That is not your code's fault."


def results(marked: Marked) -> dict[str, Any]:
    """The file as plain data. All parts are in one file, so a `task_id` is 100 times the number of
    the part, plus that of the task.
    """
    parts = marked.record.parts
    tests = [test(part, check) for part in parts for check in part.checks]
    if all(marks_of(part) is None for part in parts):
        return {"version": 3, "status": "error", "message": NOTHING, "tests": tests}
    passed = all(one["status"] == "pass" for one in tests)
    return {"version": 3, "status": "pass" if passed else "fail", "message": None, "tests": tests}


def test(part: PartResult, check: CheckResult) -> dict[str, Any]:
    """One check."""
    message = "\n".join(lines(check.message)) if check.message else None
    return {
        "name": f"{one_line(part.title)} > {one_line(check.title)}",
        "status": "error" if not_judged(check) else STATUS[check.status],
        "message": NOT_MARKED if not_judged(check) else shortened(message),
        "test_code": one_line(check.title),
        "task_id": int(part.id[:2]) * 100 + check.task,
    }


def shortened(message: str | None) -> str | None:
    """A message that the interface takes."""
    if message is None or len(message) <= LONGEST:
        return message
    return message[: LONGEST - 4] + " ..."
