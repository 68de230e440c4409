"""Answers to *Your turn*: the question, and whether an answer means the same as the hidden one.

Queries are compared by the series that they give on the same Prometheus, never by their text. What
is wrong about a wrong one is found out in `diagnosis.py`. Nothing here starts or changes anything.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lab import diagnosis
from lab.diagnosis import Series
from lab.problem import LabProblem
from lab.prometheus import FROM_THE_SCRAPE, Prometheus

QUESTIONS = Path(__file__).with_name("questions.toml")
STEP = 10  # seconds. No plot has this step, which keeps the recorded replies apart.


@dataclass(frozen=True)
class Question:
    """One *Your turn*: what is asked, an answer, and wrong ones with what should be said of them.

    `kind` is "query" (same series, same values), "alert" (fires when it should, and only then) or
    "word" (a text). An alert's `fires` gives a series for each thing it has to tell of, while it
    has to; its `quiet` gives something while it has to be silent. With `bare`, an answer without
    labels is as good.
    """

    ask: str
    answer: str
    right: str
    kind: str = "query"
    minutes: float = 10
    fires: str = ""
    quiet: str = ""
    before: str = ""
    bare: bool = False
    wrong: list[dict[str, str]] = field(default_factory=list)


@cache
def questions() -> dict[str, Question]:
    """All questions by their number, such as "2.3"."""
    return {n: Question(**q) for n, q in tomllib.loads(QUESTIONS.read_text("utf-8")).items()}


def question_of(number: str) -> Question:
    """The question with a number. Raises `LabProblem` if there is none."""
    if number not in questions():
        raise LabProblem(f"there is no question {number}; it is one of {', '.join(questions())}.")
    return questions()[number]


def check(prometheus: Prometheus, number: str, answer: Any, end: float) -> str:
    """What to say about an answer, by the data of the minutes before `end` (seconds)."""
    question = question_of(number)
    if answer is ... or not str(answer).strip():
        return f"{number} Your turn. {question.ask} Put it in place of the three dots."
    if not isinstance(answer, str):
        return f"{number} Not yet: an answer is a text in quotes, and yours is {answer!r}."
    judge = {"query": judge_query, "alert": judge_alert, "word": judge_word}[question.kind]
    problem = judge(prometheus, question, answer.strip(), end)
    return f"{number} Not yet: {problem}" if problem else f"{number} Right. {question.right}"


def judge_word(prometheus: Prometheus, question: Question, answer: str, end: float) -> str:
    """A text is right or it is not; what a wrong one was taken for stands with the question."""
    if answer.casefold() == question.answer.casefold():
        return ""
    known = {wrong["answer"].casefold(): wrong["says"] for wrong in question.wrong}
    return known.get(answer.casefold(), f"{answer!r} is not it. {question.ask}")


def judge_query(prometheus: Prometheus, question: Question, answer: str, end: float) -> str:
    """Compare with the hidden query over the same minutes."""
    if problem := diagnosis.of_text(answer):
        return problem

    def ask(query: str) -> Series:
        return comparable(prometheus.series(query, question.minutes, STEP, end))

    def is_right(given: Series) -> bool:
        bare = question.bare and given.keys() == {()} and len(expected) == 1
        return same(given, {(): next(iter(expected.values()))} if bare else expected)

    expected = ask(question.answer)
    if not expected:
        raise LabProblem(f"there is nothing to compare with yet. {question.before}")
    given = ask(answer)
    if is_right(given):
        return ""
    return diagnosis.of_series(
        answer, given, question.answer, expected, lambda query: is_right(ask(query))
    )


def judge_alert(prometheus: Prometheus, question: Question, answer: str, end: float) -> str:
    """Look whether an alert's expression told of each event, and was silent in between."""
    if problem := diagnosis.of_text(answer):
        return problem

    def moments(query: str) -> list[set[float]]:
        return [set(v) for v in prometheus.series(query, question.minutes, STEP, end).values()]

    events = [event for of_one in moments(question.fires) for event in without_gaps(of_one)]
    quiet: set[float] = set().union(*moments(question.quiet))
    if not events or not quiet:
        raise LabProblem(f"there is nothing to judge by yet. {question.before}")
    fired: set[float] = set().union(*moments(answer))
    missed = [event for event in events if not fired & event]
    wrongly = len(fired & quiet)
    if missed:
        return diagnosis.of_silence(len(missed), len(events), bool(fired))
    return diagnosis.of_noise(wrongly * STEP, len(quiet) * STEP) if wrongly else ""


def comparable(found: Series) -> Series:
    """Series without the metric's name and the labels of the scrape, which most functions drop."""

    def without(names: Collection[str]) -> Series:
        return {tuple(x for x in labels if x[0] not in names): v for labels, v in found.items()}

    bare = without(("__name__", *FROM_THE_SCRAPE))
    return bare if len(bare) == len(found) else without(("__name__",))


def without_extra_zeros(given: Series, expected: Series) -> Series:
    """What is given, but for zeros at moments at which nothing is expected."""
    left = {
        labels: {t: v for t, v in values.items() if v or t in expected.get(labels, {})}
        for labels, values in given.items()
    }
    return {labels: values for labels, values in left.items() if values}


def without_gaps(moments: set[float]) -> list[set[float]]:
    """Moments, parted where at least one is missing between them."""
    parts: list[set[float]] = []
    for moment in sorted(moments):
        if not parts or moment - max(parts[-1]) > 1.5 * STEP:
            parts.append(set())
        parts[-1].add(moment)
    return parts


def same(given: Series, expected: Series) -> bool:
    """Whether two results have the same series with the same values, but for rounding.

    A zero where the expected result has nothing is no difference.
    """
    given = without_extra_zeros(given, expected)
    if given.keys() != expected.keys():
        return False
    return all(
        given[labels].keys() == values.keys()
        and all(
            math.isclose(given[labels][t], v, rel_tol=1e-6, abs_tol=1e-12)
            or (math.isnan(v) and math.isnan(given[labels][t]))
            for t, v in values.items()
        )
        for labels, values in expected.items()
    )
