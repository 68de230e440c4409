"""The terminal report, and what it does with text from learner code. Without Airflow."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from grader.report import print_report
from grader.report.text import MAX_LINE, MAX_LINES, clean, lines, one_line


@pytest.fixture
def show(course):
    """Print a record and give back the text as it reaches a pipe."""

    def print_it(record, width=80, **more):
        file = StringIO()
        print_report(record, course, Console(file=file, width=width), **more)
        return file.getvalue()

    return print_it


def squeezed(text):
    return " ".join(text.replace("▌", " ").split())


# --- the report ---------------------------------------------------------------------------------


def test_every_part_task_and_the_total_show_their_marks(show, all_statuses):
    text = show(all_statuses)
    assert re.search(r"^00  Hello .* 2/2$", text, re.M)
    assert re.search(r"^01  Train a model .* 2/14$", text, re.M)
    assert re.search(r"^ +1\. Load +2/4$", text, re.M)
    assert re.search(r"^ +3\. Ship +0/6$", text, re.M)
    assert re.search(r"^Total .* 4/16$", text, re.M)


def test_every_check_of_a_part_in_work_is_one_line_with_its_status_in_words(show, all_statuses):
    text = show(all_statuses)
    for word, check in [
        ("passed", "loads"),
        ("failed", "counts"),
        ("not checked", "trains"),
        ("failed", "ships"),
        ("grader error", "tells"),
        ("environment", "waits"),
    ]:
        assert re.search(rf"^ +\S {word} +Title of {check}\.$", text, re.M)


def test_the_labels_of_a_message_stand_in_one_column(show, make_check, make_part, make_record):
    message = "Ran: the clean data\nHappened: `ship` ran " + "again and " * 12 + "\nExpected: once"
    text = show(make_record(make_part(1, make_check("a", 1, "failed", message=message))))
    block = [line[6:] for line in text.splitlines() if line.startswith("    ▌ ")]
    assert "Ran:      the clean data" in block
    assert "Expected: once" in block
    assert "Read:     exercises/01_train/README.md, section 1. Load" in block
    assert any(line.startswith("          again and") for line in block)


def test_only_the_first_failure_is_told_in_full(show, all_statuses):
    text = show(all_statuses)
    assert "It counted 3." in text
    assert "It shipped a bad model." not in text
    told = squeezed(text)
    assert "Where: exercises/01_train/train.py:31" in told
    assert "Read: exercises/01_train/README.md, section 1. Load" in told
    assert "Hints: exercises/01_train/hints.md, the same heading" in told


def test_a_reason_that_checks_share_is_said_once(show, all_statuses):
    text = show(all_statuses)
    assert text.count("because `counts` did not pass") == 1
    assert text.index("Title of scores") < text.index("because `counts`")


def test_a_reason_may_come_as_a_whole_sentence(show, make_check, make_part, make_record):
    check = make_check("x", 1, "not_checked", message="Not checked because `y` did not pass.")
    text = show(make_record(make_part(0, check)))
    assert "  because `y` did not pass." in text
    assert "because because" not in text


def test_a_failure_comes_before_an_earlier_fault_of_the_grader(
    show, make_check, make_part, make_record
):
    part = make_part(
        0,
        make_check("broken", 1, "error", blame="grader", message="KeyError"),
        make_check("wrong", 1, "failed", message="It said hello to nobody."),
    )
    assert "▌ It said hello to nobody." in show(make_record(part))


@pytest.mark.parametrize(
    ("blame", "sentence"),
    [("grader", "a fault of the grader, not of your code"), ("environment", "about the machine")],
)
def test_a_fault_that_is_not_the_learners_says_so_and_sends_nobody_to_the_lesson(
    show, make_check, make_part, make_record, blame, sentence
):
    part = make_part(0, make_check("broken", 1, "error", blame=blame, message="KeyError: 'x'"))
    text = show(make_record(part))
    assert sentence in squeezed(text)
    assert "1 check was not judged" in text
    assert "Read:" not in text and "Hints:" not in text
    assert "Well done" not in text


def test_an_untouched_stub_says_that_failing_is_where_you_start(
    show, make_check, make_part, make_record
):
    def stub(number):
        return make_part(number, make_check("a", 1, "failed", message="NotImplementedError"))

    record = make_record(stub(0), stub(1), stub(2))
    untouched = {"00_hello", "01_train", "02_watch"}
    text = show(record, untouched=untouched)
    assert "Failing is where you start" in squeezed(text)
    assert "Read section 1 of exercises/00_hello/README.md" in text
    assert "Open exercises/00_hello/hello.py and find TODO 1" in text
    assert "make grade PART=00" in text
    assert text.count("Not started yet.") == 2
    assert text.count("NotImplementedError") == 1
    assert "Failing is where you start" not in squeezed(show(record))


def test_an_untouched_part_alone_shows_its_checks(show, make_check, make_part, make_record):
    waits = make_check("b", 2, "not_checked", message="because `a` did not pass")
    part = make_part(1, make_check("a", 1, "failed"), waits)
    text = show(make_record(part), untouched={"01_train"})
    assert "because `a`" not in text, "where nothing is done yet, the reasons are noise"
    assert "because `a`" in show(make_record(part))
    assert "Failing is where you start" in squeezed(text)
    assert "not checked   Title of b." in text


def test_all_passed_is_one_warm_line_and_the_next_part(show, make_check, make_part, make_record):
    text = show(make_record(make_part(0, make_check("greets"))))
    assert "Everything passes: all 2 marks. Well done." in text
    assert "part 01, Train a model (45 minutes)" in text
    assert "exercises/01_train/README.md" in text


def test_after_the_last_part_nothing_is_next(show, make_check, make_part, make_record):
    text = show(make_record(make_part(2, make_check("looks", max_points=4))))
    assert "Well done." in text
    assert "Next:" not in text


def test_nothing_judged_is_never_praised(show, make_part, make_record):
    assert "Well done" not in show(make_record())
    assert "Well done" not in show(make_record(make_part(0)))


def test_marks_missing_are_never_praised(show, make_check, make_part, make_record):
    passed_but_one_is_gone = make_part(1, make_check("loads"))
    assert "Well done" not in show(make_record(passed_but_one_is_gone))
    all_there = make_part(0, make_check("greets"))
    text = show(make_record(all_there, passed_but_one_is_gone))
    assert "passed        Title of loads." in text, "it is not folded like a part that is done"


def test_the_next_step_names_part_section_and_command(show, all_statuses):
    told = squeezed(show(all_statuses))
    assert "Next: part 01, section 1." in told
    assert told.count("make grade PART=01") == 1
    elsewhere = all_statuses.model_copy(update={"submission": "my work"})
    assert "make grade PART=01 SUBMISSION='my work'" in squeezed(show(elsewhere))


def test_seed_and_versions_stand_at_the_end(show, all_statuses):
    assert "Seed 4711, Airflow 3.3.2, Python 3.11.9" in show(all_statuses)


def test_timings_come_largest_first(show, all_statuses):
    text = show(all_statuses, timings={"judge": 0.1, "import airflow": 4.0, "collect": 0.5})
    told = text[text.index("Where the time went") :]
    assert told.index("import airflow") < told.index("collect") < told.index("judge")
    assert "4.00 s" in told
    assert "Where the time went" not in show(all_statuses)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_stay_within_the_terminal(show, all_statuses, make_check, make_part, width):
    part = make_part(1, make_check("a", 1, "failed", message="long words " * 60))
    record = all_statuses.model_copy(update={"parts": [*all_statuses.parts, part]})
    for line in show(record, width=width, timings={"a stage": 1.0}).splitlines():
        assert len(line) <= width or "exercises/" in line


def test_a_long_path_is_never_broken(show, make_check, make_part, make_record):
    path = "/home/someone/" + "a_long_folder/" * 12 + "train.py:31"
    part = make_part(1, make_check("a", 1, "failed", message=f"See {path}", location=path))
    assert show(make_record(part)).count(path) == 2


# --- text from learner code ---------------------------------------------------------------------

HOSTILE = (
    "[bold red]loud[/] [/] :smile: \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link "
    "\x9b2J \x1bc \x07bell\x08\x7f over\rwritten \u202eevil\u202c \u200bgone \x00nul "
    "\x1b]2;never ends"
)


def test_a_message_is_printed_as_text(show, make_check, make_part, make_record):
    part = make_part(1, make_check("a", 1, "failed", message=HOSTILE, title=HOSTILE))
    text = show(make_record(part))
    assert "[bold red]loud[/] [/] :smile: red" in squeezed(text)
    assert "title" not in text.replace("Title", "")
    assert "never ends" in squeezed(text)
    allowed = set("✓✗·▌━╌\n")
    assert [c for c in text if not (c in allowed or (c.isascii() and c.isprintable()))] == []


def test_on_a_colour_terminal_only_our_own_escapes_are_there(
    course, make_check, make_part, make_record
):
    part = make_part(1, make_check("a", 1, "failed", message=HOSTILE, location=HOSTILE))
    file = StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard")
    print_report(make_record(part, submission=HOSTILE), course, console)
    styles_only = re.sub(r"\x1b\[[\d;]*m", "", file.getvalue())
    assert "\x1b" in file.getvalue() and "\x1b" not in styles_only
    assert "\x1b[31mred" not in file.getvalue()


def test_without_colour_nothing_is_lost(show, course, all_statuses):
    file = StringIO()
    print_report(all_statuses, course, Console(file=file, width=80, force_terminal=True))
    assert re.sub(r"\x1b\[[\d;]*m", "", file.getvalue()) == show(all_statuses)


def test_a_terminal_without_utf8_gets_plain_signs(course, make_check, make_part, make_record):
    class Ascii(StringIO):
        encoding = "ascii"

        def write(self, text):
            return super().write(text.encode("ascii").decode())

    part = make_part(1, make_check("a", 1, "failed", message="größer 高"), make_check("b", 2))
    file = Ascii()
    print_report(make_record(part), course, Console(file=file, width=80))
    assert "+ passed" in file.getvalue() and "gr??er ?" in file.getvalue()


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("a\x1b[1;31mb\x1b[0mc", "abc"),
        ("a\r\nb\rc\x0bd\u2028e", "a\nb\nc\nd\ne"),
        ("\x1b[\x1b[31m31mx", "31mx"),
        ("\ud800x", "\ufffdx"),
        ("größer 高 é", "größer 高 é"),
        ("\ta", "    a"),
    ],
)
def test_clean(dirty, shown):
    assert clean(dirty) == shown


def test_a_long_message_keeps_its_start_and_its_end():
    message = "\n".join(["first", *["x"] * 500, "Expected: the last line"])
    kept = lines(message)
    assert len(kept) == MAX_LINES
    assert (kept[0], kept[-1]) == ("first", "Expected: the last line")
    assert any("more lines left out" in line for line in kept)


def test_a_long_line_keeps_its_start_and_its_end():
    (kept,) = lines("start" + "x" * 5000 + "end")
    assert len(kept) < MAX_LINE + 20
    assert kept.startswith("start") and kept.endswith("end") and "left out" in kept


def test_a_huge_message_is_cut_and_says_so():
    kept = lines("x\n" * 500_000)
    assert len(kept) <= MAX_LINES
    assert "980,000 more characters left out" in kept[-1]
    assert len(one_line("x " * 1_000_000, 100)) <= 100
