"""Everything that an instructor and the learners get out of a marked class.

Each output is a rendering of one `ClassResult`. It must not judge, and must not read a submission
beyond the bytes that it is given.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from classroom.outputs import exercism, gradescope
from classroom.outputs.feedback import feedback
from classroom.outputs.files import LEARNERS, remove_old, write_files
from classroom.outputs.gradebook import gradebook
from classroom.outputs.insight import Standings
from classroom.outputs.junit import junit
from classroom.outputs.own_code import load_given
from classroom.outputs.page import page
from classroom.outputs.step_summary import append_summary, step_summary
from classroom.outputs.study import study
from classroom.plan import Sources
from classroom.result import ClassResult, Marked
from grader.course import Course

FEEDBACK, GRADESCOPE = "feedback.md", "results.gradescope.json"
EXERCISM, JUNIT = "results.exercism.json", "junit.xml"


def write_all(result: ClassResult, sources: Sources, course: Course, out: Path) -> list[str]:
    """Write every output below `out`. Returns the ids of learners whose old files were removed.

    Raises `OSError` with a sentence.
    """
    found = study(result, sources, {part.slug: load_given(part) for part in course.part})
    files = {
        "class.json": as_json(result.model_dump(mode="json")),
        "gradebook.csv": gradebook(result, course, found.standings),
        "class.html": page(result, course, found),
        "summary.md": step_summary(result, course, found),
    }
    for marked in result.learners:
        for name, data in files_of(marked, course, found.standings).items():
            files[f"{LEARNERS}/{marked.learner.id}/{name}"] = data
    write_files(out, files)
    present = {marked.learner.id for marked in result.learners}
    old = remove_old(out, present, (FEEDBACK, GRADESCOPE, EXERCISM, JUNIT))
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(place), result, course, found)
    return old


def files_of(marked: Marked, course: Course, standings: Standings) -> dict[str, bytes]:
    """The files of one learner, by name."""
    return {
        FEEDBACK: feedback(marked, course, standings).encode("utf-8", "replace"),
        GRADESCOPE: as_json(gradescope.results(marked)),
        EXERCISM: as_json(exercism.results(marked)),
        JUNIT: junit(marked),
    }


def as_json(data: Any) -> bytes:
    """Indented, in a fixed order. Half a character, which UTF-8 cannot hold, becomes `?`."""
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
