"""The ladder of hints: read from the page, shown rung by rung, remembered."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from grader.course import ROOT, load_course
from grader.judge.problems import NOT_LOADED
from grader.judge.record import CheckResult, PartResult
from grader.report import BestMarks
from learner.hints import give_hint, next_hint, print_hint, read_ladder, why_no_hint

PART = load_course().part[1]
PAGE = """# Hints for part 07

Read one. 1. This is no hint.

## 1. Schedule it

1. Which of the two is `first`,
   the minute
or the hour?
2. Look above.

## 10. Say *so*

1. Only one.
"""


@pytest.fixture
def best(tmp_path: Path) -> BestMarks:
    return BestMarks(pytest.fail, tmp_path / "progress.json")


def shown(hint, *, terminal: bool = False) -> str:
    file = StringIO()
    console = Console(file=file, width=80, force_terminal=terminal, _environ={"TERM": "xterm"})
    print_hint(hint, PART, console, "make hint PART=01")
    return file.getvalue()


def test_a_page_is_read_by_heading_and_number_and_wrapped_lines_are_joined():
    assert read_ladder(PAGE) == {
        1: ["Which of the two is `first`, the minute or the hour?", "Look above."],
        10: ["Only one."],
    }


@pytest.mark.parametrize("part", load_course().part, ids=lambda part: part.slug)
def test_every_section_of_the_course_has_a_ladder_of_some_rungs(part):
    found = read_ladder((ROOT / "exercises" / part.slug / "hints.md").read_text("utf-8"))
    assert list(found) == list(range(1, len(part.task) + 1))
    assert all(len(rungs) >= 2 and all(rungs) for rungs in found.values())


def test_each_call_gives_the_next_hint_and_then_all_of_them_again(best):
    rungs = read_ladder((ROOT / "exercises" / PART.slug / "hints.md").read_text("utf-8"))[4]
    hints = [next_hint(PART, 4, best) for _ in range(len(rungs) + 2)]
    assert [h.texts for h in hints[: len(rungs)]] == [(text,) for text in rungs]
    assert [h.heading for h in hints[:3]] == [
        f"Hint {n} of 3 for section 4. Hand the data on" for n in (1, 2, 3)
    ]
    for hint in hints[len(rungs) :]:
        assert hint.texts == tuple(rungs)
        assert hint.heading == "All 3 hints for section 4. Hand the data on"


def test_sections_have_a_memory_of_their_own_that_lasts(best):
    next_hint(PART, 4, best)
    assert next_hint(PART, 5, best).number == 1
    assert next_hint(PART, 4, best).number == 2
    assert best.read()[PART.slug].hints == {"4": 2, "5": 1}


def test_before_the_last_hint_the_way_to_the_next_is_told_and_after_it_what_else_helps(best):
    texts = [shown(next_hint(PART, 4, best)) for _ in range(4)]
    assert all("make hint PART=01" in text and "make show" not in text for text in texts[:2])
    for text in texts[2:]:
        assert "section 4 of exercises/01_ml_training/README.md" in text
        assert "make show PART=01" in text and "whoever teaches" in text
        assert "make hint" not in text
    assert "1. Does the function" in texts[3] and "3. " in texts[3]


def test_backticks_become_a_colour_on_a_terminal_and_stay_in_a_pipe(best):
    hint = next_hint(PART, 4, best)
    assert "a `return`?" in hint.texts[0]
    assert "a `return`?" in shown(hint)
    on_terminal = shown(hint, terminal=True)
    assert "`" not in on_terminal and "\x1b[36mreturn\x1b[0m" in on_terminal


def test_a_section_without_hints_is_one_line(best, monkeypatch, tmp_path):
    (tmp_path / PART.slug).mkdir()
    (tmp_path / PART.slug / "hints.md").write_text(PAGE)
    monkeypatch.setattr("learner.hints.EXERCISES", tmp_path)
    file = StringIO()
    give_hint(PART, 2, best, Console(file=file, width=80), "again")
    assert file.getvalue() == "Section 2 of part 01 has no hints.\n"


def check(status: str, message: str | None = None, blame: str | None = "submission"):
    return CheckResult.model_validate(
        {
            "id": "a", "task": 1, "title": "A.", "status": status, "message": message,
            "blame": None if status == "passed" else blame, "location": "x.py:3",
            "points": 0, "max_points": 0,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ([check("passed")], "Part 01 passes: there is nothing to hint at."),
        ([check("passed"), check("failed", "Happened: no")], None),
        (
            [check("failed", "Happened: Python cannot read it\nExpected: it"),
             check("not_checked", NOT_LOADED)],
            "No section can be helped before this is mended, at x.py:3: Python cannot read it",
        ),
        ([check("error", "KeyError", "grader")], "Part 01 could not be judged: KeyError"),
    ],
)  # fmt: skip
def test_why_there_is_no_hint(checks, reason):
    result = PartResult(
        id=PART.slug, title="", points=1 if checks[0].status == "passed" else 0,
        max_points=1, checks=checks,
    )  # fmt: skip
    assert why_no_hint(result, PART) == reason
