"""A learner's marks as Gradescope's `results.json`.

What could not be marked has no score there, and the text says that the score is without it; where
nothing could be marked there is none, so that Gradescope asks for another run. It must not judge.
"""

from __future__ import annotations

from typing import Any

from classroom.outputs.standing import marks_of
from classroom.result import Marked
from grader.judge.record import CheckResult, PartResult
from grader.report.text import lines, one_line


def results(marked: Marked) -> dict[str, Any]:
    """The file as plain data."""
    record = marked.record
    marks = [marks_of(part) for part in record.parts]
    unmarked = [part for part in record.parts if marks_of(part) is None]
    return {
        **({"score": sum(filter(None, marks))} if len(unmarked) < len(marks) else {}),
        "execution_time": round(sum(marked.seconds.values())),
        "output": "\n".join(said(part) for part in unmarked),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": [test(part, check) for part in record.parts for check in part.checks],
        "extra_data": {
            "seed": record.seed,
            "hashes": record.hashes.model_dump(),
            "versions": record.versions.model_dump(),
        },
    }


def said(part: PartResult) -> str:
    """What the learner reads about a part without a mark."""
    return (
        f"Part {part.id[:2]}, {one_line(part.title)}, could not be marked, so the score is without "
        "it. That is not your code's fault."
    )


def test(part: PartResult, check: CheckResult) -> dict[str, Any]:
    """One check."""
    known = marks_of(part) is not None
    return {
        **({"score": check.points, "max_score": check.max_points} if known else {}),
        **({"status": "passed" if check.status == "passed" else "failed"} if known else {}),
        "name": f"{part.id[:2]}.{check.task} {one_line(check.title)}",
        "number": f"{part.id[:2]}.{check.task}",
        "output": "\n".join(lines(check.message)) if check.message and known else "",
        "tags": [part.id],
        "visibility": "visible",
    }
