"""Answers to *Your turn*: each right one is taken, each wrong one is told apart from the others."""

from __future__ import annotations

from functools import cache

import pytest

from lab import checks, connection, diagnosis, execution
from lab.checks import Question, questions
from lab.connection import Lab
from lab.problem import LabProblem

NOTEBOOK_OF = {str(int(name[:2])): name for name in execution.names()}
NOT_YET = "Not yet: "


@cache
def lab_of(number: str) -> Lab:
    return connection.offline(NOTEBOOK_OF[number[0]])


def said(number: str, answer: object, capsys: pytest.CaptureFixture[str]) -> str:
    lab = lab_of(number)
    capsys.readouterr()
    lab.check(number, answer)
    return capsys.readouterr().out.strip()


WRONG_ANSWERS = [
    (number, wrong["answer"], wrong["says"])
    for number, question in questions().items()
    for wrong in question.wrong
]


@pytest.mark.parametrize(("number", "question"), questions().items())
def test_the_answer_is_right(
    number: str, question: Question, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(number, question.answer, capsys) == f"{number} Right. {question.right}"


@pytest.mark.parametrize(("number", "answer", "says"), WRONG_ANSWERS)
def test_a_wrong_answer_is_told_apart(
    number: str, answer: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(number, answer, capsys)
    assert NOT_YET in told
    assert says.casefold() in told.casefold()
    assert "\n" not in told


@pytest.mark.parametrize("number", questions())
def test_there_are_wrong_answers_of_different_kinds(number: str) -> None:
    wrong = questions()[number].wrong
    assert len(wrong) >= 3
    assert len({w["answer"] for w in wrong}) == len(wrong)
    if questions()[number].kind == "query":
        assert len({w["says"] for w in wrong}) >= min(3, len(wrong)) - 1


def test_an_untouched_cell_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    for number, question in questions().items():
        for untouched in (..., "", "  "):
            told = said(number, untouched, capsys)
            assert told.startswith(f"{number} Your turn. {question.ask}")


def test_the_same_query_spelled_otherwise_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    told = said("2.3", "sum  by(dag_id)(\n  increase( airflow_task_start[5m] ) )", capsys)
    assert told.startswith("2.3 Right")


def test_what_cannot_be_read_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = said("2.3", "sum by (dag_id) (increase(airflow_task_start[5m])", capsys)
    assert told == "2.3 Not yet: Prometheus cannot read it: unclosed left parenthesis."


def test_an_answer_that_is_no_text_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("2.3", 12, capsys) == "2.3 Not yet: an answer is a text in quotes, and yours is 12."


def test_an_unknown_number_is_a_line() -> None:
    with pytest.raises(LabProblem, match=r"there is no question 9\.9; it is one of 1\."):
        lab_of("2.3").check("9.9", "up")


def test_a_query_that_was_not_recorded_is_a_line() -> None:
    with pytest.raises(LabProblem, match=r"recorded replies.*start the stack"):
        lab_of("2.3").check("2.3", "sum by (dag_id) (increase(airflow_task_success[7m]))")


def test_a_zero_where_nothing_is_expected_is_right() -> None:
    one, other = (("dag_id", "a"),), (("dag_id", "b"),)
    expected = {one: {10.0: 2.0}}
    assert checks.same({one: {0.0: 0.0, 10.0: 2.0}, other: {10.0: 0.0}}, expected)
    assert not checks.same({one: {0.0: 1.0, 10.0: 2.0}}, expected)
    assert not checks.same({one: {10.0: 2.0}, other: {10.0: 1.0}}, expected)
    assert not checks.same({one: {}}, expected)


def test_labels_of_the_scrape_do_not_count_unless_they_differ() -> None:
    def up(job: str) -> diagnosis.Labels:
        return (("__name__", "up"), ("instance", "x"), ("job", job))

    assert checks.comparable({up("a"): {0.0: 1.0}}) == {(): {0.0: 1.0}}
    assert len(checks.comparable({up("a"): {0.0: 1.0}, up("b"): {0.0: 1.0}})) == 2
