"""The page of a class: everything on it, and nothing in it that a learner put there to work."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata

import pytest
from bs4 import BeautifulSoup

from classroom.outputs.page import page, pieces, step
from classroom.outputs.similar import Alike, Group, Pair, Similarity

TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "b", "svg",
    "rect", "text", "line", "nav", "a", "section", "span", "label", "input", "div", "table",
    "thead", "tbody", "tfoot", "tr", "th", "td", "small", "bdi", "code", "ul", "li", "article",
    "dl", "dt", "dd", "details", "summary", "pre", "footer", "script",
}  # fmt: skip


@pytest.fixture
def show(course, look):
    """The page of a class, parsed, and its bytes."""

    def show(result, study=None):
        data = page(result, course, study or look(result))
        return BeautifulSoup(data, "html.parser", from_encoding="utf-8"), data

    return show


def texts(found) -> list[str]:
    return [" ".join(one.get_text(" ").split()) for one in found]


def table_of(soup) -> dict[str, list[str]]:
    rows = soup.select(".marks tbody tr")
    return {texts(row.select("th"))[0]: texts(row.select("td")) for row in rows}


# --- what is on it ------------------------------------------------------------------------------


def test_the_table_has_each_learner_part_and_total(show, varied):
    soup, _ = show(varied)
    rows = table_of(soup)
    assert len(rows) == 6
    assert rows["Ada"] == ["2", "10", "12"]
    assert rows["Lost"] == ["2", "no mark", "no mark"], "a part that was lost is not a zero"
    assert rows["Nobody"] == ["0 none", "10", "10"]
    assert rows["Omar"] == ["2", "0", "2"]


def test_marks_can_be_told_apart_without_colours(show, varied):
    soup, _ = show(varied)
    assert all(re.match(r"\d|no mark", cell.get_text()) for cell in soup.select(".marks tbody td"))


@pytest.mark.parametrize(
    ("marks", "most", "name"),
    [(None, 5, "unknown"), (0, 5, "step0"), (1, 100, "step1"), (99, 100, "step7"), (5, 5, "step8")],
)
def test_only_no_marks_and_all_marks_have_the_colours_at_the_ends(marks, most, name):
    assert step(marks, most) == name


def test_each_name_leads_to_the_feedback(show, varied, make_marked, make_class):
    soup, _ = show(varied)
    assert {a["href"] for a in soup.select(".marks a")} == {
        f"learners/{marked.learner.id}/feedback.md" for marked in varied.learners
    }
    soup, _ = show(make_class(make_marked("zoé-王")))
    assert soup.select_one(".marks a")["href"] == "learners/zo%C3%A9-%E7%8E%8B/feedback.md"


def test_two_of_one_name_are_told_apart(show, make_marked, make_class):
    result = make_class(
        make_marked("ada-1", name="Ada", number="1"),
        make_marked("ada-2", name="Ada", number="2"),
        make_marked("ada-x", name="Ada"),
    )
    assert list(table_of(show(result)[0])) == ["Ada (1)", "Ada (2)", "Ada (ada-x)"]


def test_what_is_without_a_mark_is_told_with_its_reasons(show, varied):
    (item,) = texts(show(varied)[0].select("#unmarked li"))
    assert item == "Lost , part 01 : Lost. No space."


def test_what_was_odd_is_told(show, varied):
    items = texts(show(varied)[0].select("#odd li"))
    assert "Nobody : Nothing was found." in items and len(items) == 2


def test_what_went_wrong_is_told_with_the_message_and_the_learners(show, varied):
    soup, _ = show(varied)
    first = soup.select_one("#wrong > article")
    assert texts(first.select("h3"))[0] == "2 learners part 01, task 1"
    assert texts(first.select("dt")) == ["Ran", "Happened", "Expected"]
    assert texts(first.select("dd"))[1] == "load returned 3."
    assert [code.get_text() for code in first.select("dd code")] == ["load", "load"]
    assert texts(first.select(".who a")) == ["Omar", "Tara"]
    (alone,) = soup.select("#wrong details article")
    assert texts(alone.select("h3"))[0].startswith("1 learner part 01")


def test_checks_that_somebody_failed_stand_out(show, varied):
    soup, _ = show(varied)
    (row,) = soup.select("#checks .rates tbody tr")
    assert texts(row.select("td"))[1] == "Title of loads."
    assert texts(row.select(".number"))[0] == "3 of 5"
    assert float(row.select_one("rect")["width"]) == 60
    assert "task 2: Title of ships. (waits for 2)" in texts(soup.select("#checks li"))


def test_a_part_that_nobody_began_and_a_class_of_nobody(show, make_class, make_marked, make_check):
    gone = [make_check("greets", 1, "failed")]
    soup, _ = show(make_class(make_marked(hello=gone, missing=(0,))))
    assert "begun by 0" in soup.select_one("#checks").get_text()
    assert table_of(show(make_class())[0]) == {}


def test_who_is_alike_is_a_reason_to_look_and_no_proof(show, varied, look):
    found = Similarity(
        same_file=(Group(("00_hello", "01_train"), ("ada", "omar")),),
        same_code=(),
        as_solution=(Group(("01_train",), tuple(m.learner.id for m in varied.learners)),),
        pairs=(Pair(("evil", "tara"), (Alike("01_train", 0.876, 55, ("x = '</pre>'",)),)),),
    )
    study = look(varied).__class__(**{**vars(look(varied)), "similarity": found})
    soup, _ = show(varied, study)
    words = " ".join(soup.select_one("#alike").get_text(" ").split())
    assert "A reason to look, no proof." in words
    assert "Ada , Omar : parts 00, 01" in words
    assert "88 % of 55 words" in words
    assert soup.select_one("#alike pre").get_text() == "x = '</pre>'\n"
    assert "Nothing was found." not in words
    assert "Nothing was found." in show(varied)[0].select_one("#alike").get_text()


def test_what_it_was_made_with_stands_at_the_end(show, varied):
    assert texts(show(varied)[0].select("footer")) == [
        "Seed 7, sandbox bwrap, grader 0.1.0, Airflow 3.3.2, Python 3.11.9."
    ]


def test_the_same_marks_give_the_same_bytes(show, varied):
    assert show(varied)[1] == show(varied.model_copy(deep=True))[1]


# --- what must not be in it ---------------------------------------------------------------------


def test_a_learner_gets_no_tag_attribute_or_address_onto_the_page(show, varied):
    soup, data = show(varied)
    assert {tag.name for tag in soup.find_all()} <= TAGS
    assert len(soup.find_all("script")) == 1 and len(soup.find_all("style")) == 1
    for tag in soup.find_all():
        assert not [name for name in tag.attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "xlink:href"):
            assert re.match(r"#[a-z]+$|learners/[\w%.-]+/feedback\.md$|$", tag.get(name, ""))
    assert b"alert(1)" in data and b"<script>alert" not in data
    assert "49" not in soup.select_one(".marks").get_text(), "and no template"


def test_what_a_learner_wrote_is_shown_as_it_is(show, varied):
    name = next(name for name in table_of(show(varied)[0]) if "script" in name)
    assert name.startswith("<script>alert(1)</script> \"q\" 'q' ````")


def test_no_character_turns_the_line_around_or_cannot_be_seen(show, varied):
    text = show(varied)[1].decode("utf-8")
    assert "\u202e" not in text and "\x1b" not in text and "\x00" not in text
    kinds = {unicodedata.category(char) for char in text if char != "\n"}
    assert not kinds & {"Cc", "Cf", "Cs"}


def test_each_text_of_a_learner_has_its_own_direction(show, make_marked, make_class):
    soup, _ = show(make_class(make_marked("jana", name="محمد")))
    assert soup.select_one(".marks bdi").get_text() == "محمد"


def test_the_page_allows_its_own_script_and_style_and_nothing_else(show, varied):
    soup, _ = show(varied)
    policy = soup.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name, kind in (("style", "style-src"), ("script", "script-src")):
        digest = hashlib.sha256(soup.find(name).string.encode()).digest()
        assert rules[kind] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_nothing_on_it_needs_the_network(show, varied):
    assert not re.findall(
        rb"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import""", show(varied)[1]
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a `b` c", [(False, "a "), (True, "b"), (False, " c")]),
        ("`a", [(False, "`a")]),
        ("", []),
        ("```", [(False, "```")]),
    ],
)
def test_what_stands_in_backticks_is_code(text, found):
    assert pieces(text) == found
