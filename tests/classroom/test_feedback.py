"""What a learner reads, and the summary of a CI run: Markdown that shows foreign text as it is."""

from __future__ import annotations

import re

import pytest
from hostile_words import HOSTILE
from markdown_it import MarkdownIt

from classroom.outputs.feedback import feedback
from classroom.outputs.markdown import code, fenced, plain, prose
from classroom.outputs.step_summary import CUT, LIMIT, append_summary, step_summary
from grader.judge.problems import NOT_LOADED

READER = MarkdownIt("gfm-like", {"linkify": False}).enable(["table", "strikethrough"])


def rendered(text: str) -> str:
    return READER.render(text)


@pytest.fixture
def write(course, look, make_class):
    """A learner's page, in a class of their own or in this one."""

    def write(marked, result=None, files=None):
        standings = look(result or make_class(marked), files).standings
        return feedback(marked, course, standings)

    return write


# --- Markdown -----------------------------------------------------------------------------------


NASTY = [
    HOSTILE,
    "**bold** _em_ ~~gone~~ `code` ``two``",
    "[a](javascript:x) ![i](x.png) <b>x</b> <https://x.invalid> https://x.invalid www.x.invalid",
    "# title", "- item", "+ item", "1. item", "12) item", "> quote", "===", "---", "| a | b |",
    "a\n\n# b", "\\", "\\*", "`", "``", "a`", "`a", "a` b `c` d`", "&lt;b&gt; &#64;x", "$x$",
    "@you #1", "    four spaces", "a@b.invalid", "* * *", "_ _ _", "~~~", "```", "a  ", "x\\",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("way", [plain, prose])
@pytest.mark.parametrize("frame", ["{}", "# {}", "- {}", "**x {}**", "{} y"])
def test_foreign_text_means_nothing(text, way, frame):
    tokens = READER.parse(frame.format(way(text)))
    kinds = {token.type for token in tokens}
    allowed = {"heading_open", "bullet_list_open", "list_item_open", "paragraph_open", "inline"}
    assert kinds <= allowed | {kind.replace("open", "close") for kind in allowed}
    inside = {c.type for token in tokens for c in token.children or []}
    extra = {"code_inline"} if way is prose else set()
    assert inside <= {"text", "text_special", "strong_open", "strong_close", *extra}


def test_an_address_is_no_link_and_a_name_calls_nobody():
    """What GitHub makes of a text beyond Markdown."""
    shown = plain("see https://x.invalid www.x.invalid a@b.invalid @octocat #12")
    assert shown == r"see https\://x.invalid www\.x.invalid a\@b.invalid \@octocat \#12"


@pytest.mark.parametrize("text", NASTY)
def test_foreign_text_reads_as_it_was(text):
    shown = re.sub(r"<[^>]*>", "", READER.render(plain(text)))
    wanted = READER.render(code(text)).removeprefix("<p><code>").removesuffix("</code></p>\n")
    assert shown.strip() == wanted.strip()


@pytest.mark.parametrize("text", [*NASTY, "a ``` b ```` c", "``````", "~~~\n```\n# x"])
def test_a_fence_ends_only_at_its_end(text):
    after = "\n\n# after\n"
    fence, *rest = READER.parse(fenced(text) + after)
    assert (fence.type, fence.content) == ("fence", f"{text}\n".replace("\x00", "\ufffd"))
    assert [token.type for token in rest] == ["heading_open", "inline", "heading_close"]


# --- a learner's page ---------------------------------------------------------------------------


def test_the_marks_of_each_part_and_task_are_there(write, make_marked, make_check):
    checks = [
        make_check("loads", 1, max_points=4),
        make_check("ships", 2, "failed", max_points=6, location="jana/01_train/train.py:31"),
    ]
    text = write(make_marked(name="Jana Müller", train=checks))
    assert text.startswith("# A small course\n\nJana Müller\n")
    for row in ("| 01 Train a model | 4 | 10 |", "| **Total** | 6 | 12 |", "| 2. Ship | 0 | 6 |"):
        assert row in text
    assert "Everything passes. Well done." in text


def test_the_first_problem_is_told_in_full(write, make_marked, make_check):
    checks = [
        make_check("loads", 1, "failed", max_points=4, location="jana/train.py:31"),
        make_check("ships", 2, "failed", max_points=6, message="Happened: another thing."),
    ]
    text = write(make_marked(train=checks))
    assert "First mend this, in task 1: **Title of loads.**" in text
    for line in (
        "Happened: `load` returned 3.",
        "Expected: `load` returns 4.",
        "- Where: `jana/train.py:31`",
        "- Read: `exercises/01_train/README.md`, section 1. Load",
        "- Hints: `exercises/01_train/hints.md`, the same heading",
        "- Try again: `make grade PART=01`",
        "- failed: Title of ships.",
    ):
        assert f"\n{line}\n" in text
    assert "another thing" not in text


def test_what_waits_for_another_check_is_named(write, make_marked, make_check):
    checks = [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, "not_checked", max_points=6),
    ]
    assert "- not checked: Title of ships." in write(make_marked(train=checks))


def test_a_file_that_does_not_load_has_one_problem(write, make_marked, make_check):
    checks = [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, "not_checked", max_points=6, message=NOT_LOADED),
    ]
    text = write(make_marked(train=checks))
    assert "- not checked" not in text and "Happened: `load` returned 3." in text


def test_a_part_that_was_lost_says_whose_fault_it_is_not(write, varied):
    lost = next(marked for marked in varied.learners if marked.learner.id == "lost")
    text = write(lost, varied)
    assert "This part could not be marked. That is not your code's fault" in text
    assert "| 01 Train a model | not marked | 10 |" in text
    assert "| **Total** | not marked | 12 |" in text
    assert "Lost." not in text and "No space." not in text


def test_a_missing_file_and_a_stub_are_told_kindly(write, make_marked, make_check):
    gone = [make_check("greets", 1, "failed")]
    text = write(make_marked(hello=gone, missing=(0,)))
    assert "No file was found for this part. It is called `hello.py`." in text
    stub = write(make_marked(hello=gone), files={("jana", "00_hello"): b""})
    assert "Failing is where you start" in stub


def test_what_was_odd_about_the_submission_is_told(write, make_marked):
    marked = make_marked(notes={0: "It is a `*.txt`."})
    learner = marked.learner.model_copy(update={"notes": ("There are 2 entries.",)})
    text = write(marked.model_copy(update={"learner": learner}))
    assert "\n- It is a `*.txt`.\n" in text
    assert "About what you handed in:\n\n- There are 2 entries.\n" in text


def test_nothing_of_other_learners_is_in_it(write, varied):
    for marked in varied.learners:
        text = write(marked, varied)
        others = {m.learner.id for m in varied.learners} - {marked.learner.id}
        assert not [name for name in others if re.search(rf"\b{name}\b", text, re.IGNORECASE)]


def test_a_hostile_learner_changes_nothing_but_their_own_words(write, varied):
    evil = next(marked for marked in varied.learners if marked.learner.id == "evil")
    html = rendered(write(evil, varied))
    assert "<script" not in html and "<a " not in html and "<img" not in html
    assert "\u202e" not in html and "\x1b" not in html
    assert html.count("<h2>") == 2 and html.count("<h1>") == 1


# --- the summary of a CI run --------------------------------------------------------------------


@pytest.fixture
def summarise(course, look):
    def summarise(result, **more):
        return step_summary(result, course, look(result), **more).decode("utf-8")

    return summarise


def test_the_summary_says_how_the_class_is(summarise, varied):
    text = summarise(varied)
    assert "6 learners, 1 with full marks, median 8 of 12; 1 part could not be marked." in text
    assert "| 00 Hello, you | 2 | 2 | 5 | 0 | 1 |" in text
    assert "**2 learners**, part 01, task 1: Title of loads." in text
    assert "- Lost, part 01: No space." in text
    assert "| Ada | 2 | 10 | **12** |" in text and "| Lost | 2 |  |  |" in text
    html = rendered(text)
    assert html.count("<table>") == 2 and html.count("<tr>") == 3 + 7
    assert "<script" not in html and "<a " not in html


def test_the_summary_is_cut_between_two_rows_and_says_so(summarise, make_class, make_marked):
    result = make_class(*(make_marked(f"person{n:03}") for n in range(200)))
    whole = summarise(result)
    text = summarise(result, limit=3000)
    assert len(text.encode()) <= 3000 and text.endswith(CUT)
    kept = text.removesuffix(CUT)
    assert whole.startswith(kept) and kept.endswith("|\n")
    assert summarise(result, limit=5) == ""


def test_the_summary_of_the_largest_class_is_one_that_github_takes(
    course, look, make_class, make_marked, make_check
):
    message = "Happened: " + "größer " * 300
    failed = [make_check("greets", 1, "failed", message=message, title="x" * 300)]
    people = [make_marked(f"p{n:04}", hello=failed, name="ü" * 190) for n in range(3000)]
    result = make_class(*people)
    data = step_summary(result, course, look(result))
    assert 900_000 < len(data) <= LIMIT


def test_the_summary_is_added_to_what_github_has_already(tmp_path, course, look, varied):
    path = tmp_path / "summary"
    path.write_bytes(b"from before\n")
    append_summary(path, varied, course, look(varied))
    text = path.read_text("utf-8")
    assert text.startswith("from before\n# A small course")
    path.write_bytes(b"x" * (LIMIT - 400))
    append_summary(path, varied, course, look(varied))
    assert path.stat().st_size <= LIMIT
    assert path.read_text("utf-8").endswith(CUT)


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path, course, look, varied):
    with pytest.raises(OSError, match=r"^The step summary .* was not written: Is a directory\.$"):
        append_summary(tmp_path, varied, course, look(varied))
