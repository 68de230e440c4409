"""The gradebook: what a platform and a spreadsheet read out of it."""

from __future__ import annotations

import csv
import io
import re

import pytest

from classroom.outputs.gradebook import cell, gradebook


@pytest.fixture
def read(course, look):
    """The rows as a platform reads them, the first two apart."""

    def read(result):
        text = gradebook(result, course, look(result).standings).decode("utf-8-sig")
        head, points, *learners = csv.reader(io.StringIO(text), strict=True)
        return head, points, [dict(zip(head, row, strict=True)) for row in learners]

    return read


def test_the_columns_are_those_that_canvas_expects(read, make_marked, make_class):
    head, points, _ = read(make_class(make_marked()))
    assert head[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert head[5:] == ["Notes", "00 Hello, you", "01 Train a model", "Final Points"]
    assert "Points Possible" in points[0]
    assert points[6:] == ["2", "10", "12"]
    # As Canvas' importer looks at it: what stands before the marks, and what it never imports.
    assert "Student" in head[0] and "ID" in head[1] and "Section" in head[4]
    assert re.search("Final Points", head[-1])


def test_each_learner_has_marks_a_total_and_the_platforms_number(read, make_marked, make_class):
    _, _, (row,) = read(make_class(make_marked("jana", name="Jana Müller", number="4711")))
    assert (row["Student"], row["ID"]) == ("Jana Müller", "4711")
    assert (row["00 Hello, you"], row["01 Train a model"], row["Final Points"]) == ("2", "10", "12")
    assert row["Notes"] == ""


def test_a_part_that_was_lost_is_empty_and_so_is_the_total(read, varied):
    _, _, rows = read(varied)
    lost = next(row for row in rows if row["Student"] == "Lost")
    assert (lost["01 Train a model"], lost["Final Points"]) == ("", "")
    assert lost["00 Hello, you"] == "2"
    assert lost["Notes"] == "Part 01: could not be marked."


def test_a_part_of_which_one_check_was_lost_has_no_mark(read, make_marked, make_check, make_class):
    checks = [
        make_check("loads", 1, max_points=4),
        make_check("ships", 2, "error", blame="environment", max_points=6),
    ]
    _, _, (row,) = read(make_class(make_marked(train=checks)))
    assert (row["01 Train a model"], row["Final Points"]) == ("", "")


def test_what_was_not_handed_in_is_no_mark_lost_but_none_earned(read, varied):
    _, _, rows = read(varied)
    nobody = next(row for row in rows if row["Student"] == "Nobody")
    assert nobody["00 Hello, you"] == "0"
    assert nobody["Notes"] == "Part 00: not handed in. Nothing was found."


def test_the_notes_say_what_is_a_stub_and_what_does_not_load(
    course, look, make_marked, make_check, make_class
):
    broken = [
        make_check("loads", 1, "failed", max_points=4),
        make_check(
            "ships", 2, "not_checked", max_points=6,
            message="not checked because the file does not load",
        ),
    ]  # fmt: skip
    result = make_class(make_marked(hello=[make_check("greets", 1, "failed")], train=broken))
    study = look(
        result, {("jana", "00_hello"): b"def load():\n  raise NotImplementedError('TODO 1')"}
    )
    text = gradebook(result, course, study.standings).decode("utf-8-sig")
    assert "Part 00: as it was shipped. Part 01: does not load." in text


def test_it_begins_with_one_byte_order_mark_and_is_utf8(course, look, varied):
    data = gradebook(varied, course, look(varied).standings)
    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\xef\xbb\xbf") == 1
    data.decode("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        '=HYPERLINK("x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "  =1+1", "\n=1",
        "\N{FULLWIDTH EQUALS SIGN}1+1", "\N{FULLWIDTH COMMERCIAL AT}x",
        "\u200b=1+1", "\ufeff=1+1", "\x00=1",
    ],
)  # fmt: skip
def test_no_name_becomes_a_formula(name, read, make_marked, make_class):
    _, _, (row,) = read(make_class(make_marked("jana", name=name)))
    assert row["Student"].startswith("'")


def test_no_semicolon_starts_a_cell_where_it_parts_them(
    read, make_marked, make_class, course, look
):
    result = make_class(make_marked("jana", name="jana;=1+1", notes={0: 'x";=1+1'}))
    text = gradebook(result, course, look(result).standings).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text), delimiter=";"):
        assert not any(re.match(r"[=+\-@]", one) for one in row)


def test_a_name_is_one_line_without_characters_that_cannot_be_seen(read, make_marked, make_class):
    name = "Jana\r\nMüller\u2028\u202eevil\ud800"
    _, _, rows = read(make_class(make_marked("jana", name=name)))
    assert [row["Student"] for row in rows] == ["Jana Müller evil\N{REPLACEMENT CHARACTER}"]


def test_numbers_are_not_taken_for_text(course, look, make_marked, make_class):
    result = make_class(make_marked())
    last = gradebook(result, course, look(result).standings).splitlines()[-1]
    assert last.endswith(b",2,10,12")


def test_an_apostrophe_stands_only_where_it_is_needed():
    assert cell("O'Neill") == "O'Neill"
    assert cell("") == ""
    assert cell("a-b=c") == "a-b=c"
