"""The class as one HTML file that needs no network and no script to be read.

What came from a learner is cleaned here and escaped by the template; the policy in the file's head
allows nothing but its own style and script. It must not judge.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from classroom.outputs.figures import figures, median_of
from classroom.outputs.standing import (
    full_marks,
    handed_in_of,
    marks_of,
    notes_of,
    reasons,
    total_of,
)
from classroom.outputs.study import Study
from classroom.result import ClassResult, Marked
from grader.course import Course, Part
from grader.judge.record import CheckResult
from grader.report.text import lines, one_line

FOLDER = Path(__file__).parent
STEPS = 8  # colours between no marks and all
BINS = 10
LABEL = re.compile(r"^(Ran|Happened|Expected): +")
IN_TICKS = re.compile(r"`([^`]{1,200})`")
WORDS = {
    "unmarked": "no mark",
    "missing": "none",
    "untouched": "stub",
    "broken": "broken",
    "begun": "",
}


def page(result: ClassResult, course: Course, study: Study) -> bytes:
    """The file. The same marks and times give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": one_line, "message": message, "pieces": pieces}
    style, script = ((FOLDER / f"class.{kind}").read_text("utf-8") for kind in ("css", "js"))
    text = environment.get_template("class.html.j2").render(
        result=result,
        course=course,
        study=study,
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src {sha256(style)}; script-src {sha256(script)}; "
        "base-uri 'none'; form-action 'none'",
        names=names(result),
        steps=STEPS,
        parts={part.slug: part for part in course.part},
        figures=figures(result),
        medians={part.slug: median_of(result, part.slug) for part in course.part},
        full={part.slug: full(result, part) for part in course.part},
        rows=[row(marked, course, study) for marked in result.learners],
        bins=bins(result),
        common=[cluster for cluster in study.clusters if len(cluster.learners) > 1],
        alone=[cluster for cluster in study.clusters if len(cluster.learners) == 1],
        unmarked=unmarked(result),
        notes={m.learner.id: notes for m in result.learners if (notes := notes_of(m))},
        versions=result.learners[0].record.versions if result.learners else None,
    )
    return text.encode("utf-8", "replace")


def names(result: ClassResult) -> dict[str, str]:
    """What people are called, by id; two of the same name are told apart."""
    people = [marked.learner for marked in result.learners]
    called = {one.id: one_line(one.name, 60) or one.id for one in people}
    same = Counter(called.values())
    for one in people:
        if same[called[one.id]] > 1:
            called[one.id] = f"{called[one.id]} ({one.number or one.id})"
    return called


def sha256(text: str) -> str:
    """A source of the policy: the one script or style with this text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def message(check: CheckResult) -> list[tuple[str, str]]:
    """The lines of a message, each with its label if it has one."""
    found = []
    for line in lines(check.message or "There is no message."):
        label = LABEL.match(line)
        found.append((label[1], line[label.end() :]) if label else ("", line))
    return found


def pieces(text: str) -> list[tuple[bool, str]]:
    """A text in turns of plain text and of what stands in backticks."""
    return [(n % 2 == 1, piece) for n, piece in enumerate(IN_TICKS.split(text)) if piece]


def row(marked: Marked, course: Course, study: Study) -> dict[str, Any]:
    """One learner of the table."""
    results = {part.id: part for part in marked.record.parts}
    cells = []
    for part in course.part:
        marks = marks_of(results[part.slug])
        standing = study.standings[marked.learner.id, part.slug]
        cells.append(
            {
                "marks": marks,
                "step": step(marks, part.max_points),
                "word": WORDS[standing],
                "standing": standing,
                "file": handed_in_of(marked, part.slug).file or "not handed in",
                "most": part.max_points,
            }
        )
    return {
        "learner": marked.learner,
        "cells": cells,
        "total": total_of(marked.record),
        "most": marked.record.max_points,
        "step": step(total_of(marked.record), marked.record.max_points),
        "full": full_marks(marked.record),
    }


def step(marks: int | None, most: int) -> str:
    """The colour of some marks: the first for none, the last for all, the others between."""
    if marks is None:
        return "unknown"
    if marks >= most:
        return f"step{STEPS}"
    return f"step{1 + (STEPS - 1) * marks // most}" if marks else "step0"


def full(result: ClassResult, part: Part) -> int:
    """Learners with all marks of a part."""
    results = (p for m in result.learners for p in m.record.parts if p.id == part.slug)
    return sum(marks_of(p) == p.max_points for p in results)


def bins(result: ClassResult) -> list[int]:
    """Learners by tenth of all marks; full marks are in the last."""
    counts = [0] * BINS
    for marked in result.learners:
        total, most = total_of(marked.record), marked.record.max_points
        if total is not None and most:
            counts[min(BINS * total // most, BINS - 1)] += 1
    return counts


def unmarked(result: ClassResult) -> Mapping[tuple[str, str], list[str]]:
    """Why there is no mark, by learner and part (slug)."""
    return {
        (marked.learner.id, part.id): why
        for marked in result.learners
        for part in marked.record.parts
        if (why := reasons(part))
    }
