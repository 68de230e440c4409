"""What a class has in common: rates, clusters, what is slow, and how each learner stands."""

from __future__ import annotations

import pytest

from classroom.outputs.figures import figures
from classroom.outputs.insight import observation
from grader.judge.problems import NOT_LOADED


def failed(make_check, message: str, id: str = "greets"):
    return [make_check(id, 1, "failed", message=message)]


# --- how learners stand -------------------------------------------------------------------------


def test_each_learner_stands_somewhere_in_each_part(look, varied):
    standings = look(varied, {("ada", "00_hello"): b""}).standings
    assert standings["ada", "00_hello"] == "begun", (
        "who has marks has begun, whatever the text says"
    )
    assert standings["lost", "01_train"] == "unmarked"
    assert standings["nobody", "00_hello"] == "missing"
    assert standings["omar", "01_train"] == "begun"


def test_a_stub_with_other_spacing_is_still_a_stub(look, make_marked, make_check, make_class):
    result = make_class(make_marked(hello=failed(make_check, "x")))
    stub = b"def load( ):\n\n    # my name\n    raise NotImplementedError( 'TODO 1' )\n"
    assert look(result, {("jana", "00_hello"): stub}).standings["jana", "00_hello"] == "untouched"


def test_a_file_that_does_not_load_is_broken(look, make_marked, make_check, make_class):
    checks = [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, "not_checked", max_points=6, message=NOT_LOADED),
    ]
    result = make_class(make_marked(train=checks))
    assert look(result).standings["jana", "01_train"] == "broken"


# --- rates --------------------------------------------------------------------------------------


def test_a_rate_is_of_those_for_whom_the_check_could_be_made(
    look, make_marked, make_check, make_class
):
    waits = [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, "not_checked", max_points=6),
    ]
    result = make_class(make_marked("ada"), make_marked("ben", train=waits), make_marked("cleo"))
    rates = {rate.check.id: rate for rate in look(result).rates}
    assert (rates["loads"].failed, rates["loads"].passed, rates["loads"].begun) == (1, 2, 3)
    assert rates["loads"].share == pytest.approx(1 / 3)
    assert (rates["ships"].failed, rates["ships"].not_checked) == (0, 1)
    assert rates["ships"].share == 0


def test_stubs_missing_broken_and_lost_parts_are_in_no_rate(look, varied):
    rates = {rate.check.id: rate for rate in look(varied).rates}
    assert rates["greets"].begun == 5  # not `nobody`
    assert rates["loads"].begun == 5  # not `lost`


# --- clusters -----------------------------------------------------------------------------------


def test_the_same_observation_makes_a_cluster_and_the_largest_comes_first(
    look, make_marked, make_check, make_class
):
    one = failed(make_check, "Ran: a\nHappened: It said 1.\nExpected: 2.")
    other = failed(make_check, "Ran: a\nHappened: It said 3.\nExpected: 2.")
    result = make_class(
        make_marked("ada", hello=other),
        make_marked("ben", hello=one),
        make_marked("cleo", hello=one),
    )
    first, second = look(result).clusters
    assert first.learners == ("ben", "cleo") and second.learners == ("ada",)
    assert first.checks[0].message == one[0].message


def test_what_ran_and_what_was_expected_do_not_part_a_cluster(
    look, make_marked, make_check, make_class
):
    result = make_class(
        make_marked("ada", hello=failed(make_check, "Ran: a\nHappened: X.\nExpected: One.")),
        make_marked("ben", hello=failed(make_check, "Ran: b\nHappened: X.\nExpected: Two.")),
    )
    (cluster,) = look(result).clusters
    assert cluster.learners == ("ada", "ben")
    assert cluster.checks[0].message == "Ran: a\nHappened: X.\nExpected: One."


def test_one_observation_that_fails_two_checks_is_one_cluster(
    look, make_marked, make_check, make_class
):
    same = "Happened: TODO 1 is open."
    both = [
        make_check("loads", 1, "failed", max_points=4, message=same),
        make_check("ships", 2, "failed", max_points=6, message=same),
    ]
    (cluster,) = look(make_class(make_marked("ada", train=both))).clusters
    assert cluster.learners == ("ada",)
    assert [check.id for check in cluster.checks] == ["loads", "ships"]


def test_the_same_words_in_two_parts_are_two_clusters(look, make_marked, make_check, make_class):
    result = make_class(
        make_marked("ada", hello=failed(make_check, "Happened: X.")),
        make_marked("ben", train=failed(make_check, "Happened: X.")),
    )
    assert len(look(result).clusters) == 2


def test_a_stub_and_a_missing_file_are_no_news(look, make_marked, make_check, make_class):
    checks = failed(make_check, "Happened: There is no such file.")
    result = make_class(
        make_marked("ada", hello=checks, missing=(0,)), make_marked("ben", hello=checks)
    )
    assert look(result, {("ben", "00_hello"): b""}).clusters == []


def test_what_was_not_checked_or_lost_is_in_no_cluster(look, varied):
    clusters = look(varied).clusters
    assert [cluster.learners for cluster in clusters] == [("omar", "tara"), ("evil",)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Python cannot read it: invalid syntax (in `def f(:`)",
            "Python cannot read it: invalid syntax (in `x = (y`` )`)",
        ),
        ("NameError: name 'mine' is not defined", "NameError: name 'his' is not defined"),
        ("`mine` returned <object at 0x7f00aabbccdd>", "`his` returned <object at 0x7f1122334455>"),
        ("It  said\n1.", "It said 1."),
    ],
)  # fmt: skip
def test_what_only_one_learner_can_have_is_left_out(one, other):
    def known(text):
        return observation(f"Happened: {text}\nExpected: x", frozenset({"mine", "his"}))

    assert known(one) == known(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It was tried 2 times.", "It was tried 3 times."),
        ("Here it is `all_done`.", "Here it is `one_success`."),
        ("It raised KeyError: 'plan'", "It raised TypeError: 'plan'"),
    ],
)
def test_what_tells_two_mistakes_apart_stays(one, other):
    assert observation(f"Happened: {one}", frozenset()) != observation(
        f"Happened: {other}", frozenset()
    )


def test_names_made_up_by_each_learner_do_not_part_a_cluster(
    look, make_marked, make_check, make_class
):
    result = make_class(
        make_marked("ada", hello=failed(make_check, "Happened: NameError: 'rows'.")),
        make_marked("ben", hello=failed(make_check, "Happened: NameError: 'lines'.")),
    )
    files = {
        ("ada", "00_hello"): b"print(rows)\n",
        ("ben", "00_hello"): b"print(lines)\n",
    }
    (cluster,) = look(result, files).clusters
    assert cluster.learners == ("ada", "ben")


# --- figures ------------------------------------------------------------------------------------


def test_the_slowest_come_first_and_not_all_of_them(look, make_marked, make_class):
    people = [
        make_marked(f"p{n:02}").model_copy(
            update={"seconds": {"00_hello": float(n), "01_train": 0.5}}
        )
        for n in range(20)
    ]
    slowest = look(make_class(*people)).slowest
    assert [slow.seconds for slow in slowest] == [float(n) for n in range(19, 9, -1)]


def test_a_class_in_a_sentence(varied, make_class, make_marked, make_check):
    assert figures(varied).line() == (
        "6 learners, 1 with full marks, median 8 of 12; 1 part could not be marked."
    )
    assert figures(make_class()).line() == "0 learners, 0 with full marks."
    lost = [make_check("greets", 1, "error", blame="grader")]
    assert figures(make_class(make_marked(hello=lost))).line() == (
        "1 learner, 0 with full marks; 1 part could not be marked."
    )


def test_somebody_without_a_total_has_no_full_marks(make_marked, make_check, make_class):
    some = [*[make_check("greets")], make_check("more", 1, "error", max_points=0, blame="grader")]
    assert figures(make_class(make_marked(hello=some))).full == 0
