"""What is a learner's own in a file, whatever they call it and however they set it."""

from __future__ import annotations

from pathlib import Path

import pytest

from classroom.outputs.own_code import Given, OwnCode, load_given
from grader.course import ROOT, load_course

COURSE = load_course()
STUB = '''
"""A lesson."""
from airflow.sdk import dag, task

LIMIT = 5

def helper(rows):
    total = sum(rows)
    return total

@task
def load(path):
    # --- TODO 1 ---
    raise NotImplementedError("TODO 1")

@dag(
    dag_id="a",
    # TODO 2
)
def a():
    load("x")
'''
GIVEN = Given(STUB.encode(), b"")
BODY = '    raise NotImplementedError("TODO 1")'


def own(body: str, stub: str = STUB) -> OwnCode:
    """What is found of a file in which TODO 1 is done."""
    return GIVEN.own(stub.replace(BODY, body).encode())


def test_of_the_stub_nothing_is_anybodys():
    assert GIVEN.own(STUB.encode()) == OwnCode()
    assert GIVEN.own(b"") == OwnCode()


@pytest.mark.parametrize("part", COURSE.part, ids=lambda part: part.slug)
def test_of_a_real_stub_nothing_is_anybodys_and_of_its_solution_something_is(part):
    given = load_given(part)
    stub = (ROOT / "exercises" / part.slug / part.dag_file).read_bytes()
    assert given.own(stub).statements == ()
    assert given.solution.statements


def test_comments_spacing_and_quotes_change_nothing():
    tidy = own("    rows = read(path)\n    return helper(rows)")
    loose = own(
        "    # read them\n\n    rows   =read( path )  # all\n    return helper(\n    rows\n )\n"
    )
    assert loose.tokens == tidy.tokens
    assert own("    return 'a b'").tokens == own('    return """a  b"""').tokens


def test_names_that_somebody_made_up_change_nothing():
    one, other = (
        own("    rows = read(path)\n    return rows"),
        own("    x = read(path)\n    return x"),
    )
    assert one.tokens == other.tokens
    assert (one.made_up, other.made_up) == ({"rows", "read"}, {"x", "read"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("return 1", "return 2"),
        ("return 'a'", "return 'b'"),
        ("return path.name", "return path.stem"),
        ("return sum(path)", "return max(path)"),
        ("return helper(path)", "return load(path)"),
        ("return f(retries=1)", "return f(delay=1)"),
        ("return LIMIT", "return path"),
        ("import json; return json", "import csv; return csv"),
    ],
)
def test_numbers_texts_and_names_that_everybody_knows_make_a_difference(one, other):
    assert own(f"    {one}").tokens != own(f"    {other}").tokens


def test_what_is_filled_into_a_text_does_not_matter():
    assert own('    return f"{rows} of {n:.2f}"').tokens == own('    return f"{x} of {y}"').tokens
    assert own('    return "{rows}"').tokens != own('    return "{x}"').tokens


def test_an_argument_among_given_ones_is_told_apart():
    done = STUB.replace("    # TODO 2\n", '    schedule="@daily",\n    catchup=False,\n')
    texts = [statement.line for statement in GIVEN.own(done.encode()).statements]
    assert texts == ['schedule="@daily",', "catchup=False,"]


def test_names_of_an_import_over_several_lines_are_known():
    done = STUB.replace("import dag, task", "import (\n    dag,\n    chain,\n    task,\n)")
    assert "chain" not in GIVEN.own(f"{done}\nchain(load)\n".encode()).made_up


@pytest.mark.parametrize(
    "source",
    [
        b"def f(:\n    x = (\n", b'"""never ends', b"'''", b"(((", b")))", b"\xff\xfe\0",
        b"x = 'a\n", b"\\", "größe = 1".encode(), b"\r\n\r\n", b"if x:\n\treturn\n  y", b"f'{'",
        b'f"{a[\'b\']}"',
    ],
)  # fmt: skip
def test_what_is_no_python_is_read_all_the_same(source):
    GIVEN.own(source)
    GIVEN.own(STUB.encode() + source)


def test_after_a_bracket_that_is_never_closed_the_stub_is_still_known():
    broken = STUB.replace(BODY, "    rows = read(path\n    return rows")
    texts = [statement.line for statement in GIVEN.own(broken.encode()).statements]
    assert len(texts) == 1 and "dag_id" not in texts[0]


def test_a_huge_file_is_looked_at_in_part():
    assert len(GIVEN.own(b"x = 1\n" * 200_000).statements) < 50_000


def test_a_copy_without_solutions_has_none(monkeypatch, tmp_path):
    monkeypatch.setattr("classroom.outputs.own_code.ROOT", Path(tmp_path))
    assert load_given(COURSE.part[0]).solution == OwnCode()


def test_a_stub_that_somebody_is_working_on_breaks_nothing():
    assert Given(b"def load(:\n", b"\0").own(b"x = 1\n").statements
