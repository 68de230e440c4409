"""The words a hidden check is written in."""

from __future__ import annotations

from random import Random

import pytest

from grader.judge import NotPassed, check, expect, scenario
from grader.judge.check import SCENARIO_ATTRIBUTE, CheckMark
from grader.judge.view import TaskView
from grader.scenario import Limits, PlannedRun, Scenario


def mark_of(function) -> CheckMark:
    (mark,) = [m for m in function.pytestmark if m.name == "check"]
    return mark.args[0]


def test_a_check_knows_its_task_and_stays_a_test_function():
    @check(task=4)
    def a_check(observe):
        """A line that the learner reads."""

    assert mark_of(a_check) == CheckMark(task=4, requires=())
    assert a_check.__doc__ == "A line that the learner reads."


def test_a_check_may_require_one_check_or_several():
    def first(observe): ...

    def second(observe): ...

    @check(task=1, requires=first)
    def one(observe): ...

    @check(task=1, requires=(first, second))
    def both(observe): ...

    assert mark_of(one).requires == ("first",)
    assert mark_of(both).requires == ("first", "second")


def test_a_scenario_carries_its_name_and_draws_from_its_generator():
    @scenario("some data")
    def some_data(rng: Random) -> Scenario:
        return Scenario(files={"a.csv": str(rng.random())})

    assert getattr(some_data, SCENARIO_ATTRIBUTE) == "some data"
    assert some_data(Random(1)) == some_data(Random(1))
    assert some_data(Random(1)) != some_data(Random(2))


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize("condition", [False, None, 0, 1, "yes", [1], AlwaysEqual()])
def test_only_true_itself_passes(condition):
    with pytest.raises(NotPassed) as raised:
        expect(condition, happened="It ran twice.", expected="Once.")
    assert (raised.value.happened, raised.value.expected) == ("It ran twice.", "Once.")


def test_true_passes():
    assert expect(True, happened="no", expected="no") is None


def test_a_failure_points_at_the_line():
    class Place:
        line = 31

    with pytest.raises(NotPassed) as raised:
        expect(False, happened="a", expected="b", at=Place())
    assert raised.value.line == 31
    with pytest.raises(NotPassed) as raised:
        expect(False, happened="a", expected="b", at="no place")
    assert raised.value.line is None
    assert hasattr(TaskView, "line")


def test_a_failure_is_an_assertion_so_that_plain_pytest_says_failed():
    assert issubclass(NotPassed, AssertionError)


def test_a_scenario_starts_at_its_time_or_at_its_first_run():
    run = PlannedRun.model_validate({"logical_date": "2024-01-01T02:00:00Z"})
    now = run.logical_date.replace(year=2025)
    assert Scenario(runs=(run,)).start == run.logical_date
    assert Scenario(runs=(run,), now=now).start == now
    with pytest.raises(ValueError, match="neither runs nor a time"):
        _ = Scenario(name="empty").start


@pytest.mark.parametrize("extra", ["expected", "verdict", "check"])
def test_a_scenario_has_no_place_for_an_answer(extra):
    with pytest.raises(ValueError, match="Extra inputs"):
        Scenario.model_validate({extra: 1})


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="timezone"):
        PlannedRun.model_validate({"logical_date": "2024-01-01T02:00:00"})


def test_limits_have_the_promised_defaults():
    limits = Limits()
    assert (limits.seconds, limits.memory_mib, limits.processes) == (30.0, 2048, 64)
    assert (limits.output_mib, limits.files_mib) == (16, 64)
