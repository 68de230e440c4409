"""Two markings side by side: what moved, and after which change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from classroom.cli import app
from classroom.compare import UNKNOWN, Unusable, compare, load_class
from classroom.outputs import as_json
from classroom.result import Basis
from classroom.schemas import generate

SCHEMA = json.loads((generate.FOLDER / "comparison.schema.json").read_text("utf-8"))


@pytest.fixture
def half(make_check):
    """Checks of part 01 of which one fails."""
    return [
        make_check("loads", 1, "failed", max_points=4),
        make_check("ships", 2, max_points=6),
    ]


@pytest.fixture
def moved(make_marked, make_class, half):
    """What is said of a learner whose mark fell; `more` are fields of the new class."""

    def moved(*, files=None, **more):
        old, new = make_marked("jana"), make_marked("jana", train=half, files=files)
        (found,) = compare(make_class(old), make_class(new, **more)).moved
        return found

    return moved


# --- what moved ---------------------------------------------------------------------------------


def test_the_same_marking_twice_moves_nothing(varied):
    found = compare(varied, varied)
    assert (found.moved, found.came, found.left, found.compared) == ((), (), (), 6)


def test_a_mark_that_moved_names_its_checks(moved):
    found = moved()
    assert (found.learner, found.part, found.old, found.new) == ("jana", "01_train", 10, 6)
    (check,) = found.checks
    assert (check.id, check.task, check.old, check.new) == ("loads", 1, 4, 0)


def test_two_checks_that_make_up_for_each_other_are_told(make_marked, make_class, make_check):
    def one(first, second):
        return [
            make_check("loads", 1, first, max_points=5),
            make_check("ships", 1, second, max_points=5),
        ]

    (found,) = compare(
        make_class(make_marked(train=one("passed", "failed"))),
        make_class(make_marked(train=one("failed", "passed"))),
    ).moved
    assert (found.old, found.new, len(found.checks)) == (5, 5, 2)


def test_a_failed_check_that_is_not_checked_now_moves_no_mark(make_marked, make_class, make_check):
    old = make_marked(hello=[make_check("greets", 1, "failed")])
    new = make_marked(hello=[make_check("greets", 1, "not_checked")])
    assert compare(make_class(old), make_class(new)).moved == ()


def test_a_mark_that_was_lost_or_found_again_moved(make_marked, make_class, make_check):
    lost = make_class(make_marked(hello=[make_check("greets", 1, "error", blame="grader")]))
    zero = make_class(make_marked(hello=[make_check("greets", 1, "failed")]))
    (found,) = compare(lost, zero).moved
    assert (found.old, found.new, found.checks[0].old) == (None, 0, None)
    (found,) = compare(zero, lost).moved
    assert (found.old, found.new) == (0, None)
    assert compare(lost, lost).moved == ()


def test_a_check_that_is_new_or_gone_is_told(make_marked, make_class, make_check):
    old = make_class(make_marked(hello=[make_check("greets"), make_check("old", max_points=0)]))
    new = make_class(make_marked(hello=[make_check("other")]))
    (found,) = compare(old, new).moved
    assert [(c.id, c.old, c.new) for c in found.checks] == [
        ("greets", 2, None), ("old", 0, None), ("other", None, 2),
    ]  # fmt: skip


def test_who_came_and_who_left_and_which_parts(make_marked, make_class):
    ada, ben, cleo = make_marked("ada"), make_marked("ben"), make_marked("cleo")
    short = ben.model_copy(
        update={"record": ben.record.model_copy(update={"parts": ben.record.parts[:1]})}
    )
    found = compare(make_class(ada, short), make_class(ben, cleo))
    assert (found.came, found.left, found.compared) == (("cleo",), ("ada",), 1)
    assert (found.added, found.dropped, found.moved) == ((), (), ())
    found = compare(make_class(short), make_class(ben))
    assert (found.added, found.moved) == (("01_train",), ())


# --- after which change -------------------------------------------------------------------------


def test_without_a_change_that_is_known_the_mark_is_not_to_be_trusted(moved):
    assert moved().after == (UNKNOWN,)


def test_a_file_that_changed(moved):
    assert moved(files={1: b"another"}).after == ("their file changed",)
    assert moved(files={0: b"another"}).after == (UNKNOWN,), "another part's file is no reason"


def test_a_file_that_was_handed_in_or_is_gone(make_marked, make_class, half):
    there, gone = make_marked(), make_marked(train=half, missing=(1,))
    (found,) = compare(make_class(gone), make_class(there)).moved
    assert found.after == ("the file was handed in",)
    (found,) = compare(make_class(there), make_class(gone)).moved
    assert found.after == ("the file is not there any more",)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("checks", "the part's checks changed"),
        ("entry", "the part's points or limits changed"),
        ("shipped", "the part's lesson or data changed"),
    ],
)
def test_what_the_part_is_marked_with(moved, field, words):
    same = {"checks": "c" * 64, "entry": "e" * 64, "shipped": "s" * 64}
    hello = Basis(part="00_hello", **same)
    train = Basis(part="01_train", **{**same, field: "x" * 64})
    assert moved(basis=(hello, train)).after == (words,)
    train, hello = Basis(part="01_train", **same), Basis(part="00_hello", **{**same, field: "x"})
    assert moved(basis=(hello, train)).after == (UNKNOWN,), "another part's is no reason"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("seed", 8, "another seed: 7, now 8"),
        ("sandbox", "none", "another sandbox: bwrap, now none"),
        ("engine", "x", "the grader's own code changed"),
    ],
)
def test_what_the_whole_class_is_marked_with(moved, field, value, words):
    assert moved(**{field: value}).after == (words,)


def test_another_version_of_a_program(make_marked, make_class, half):
    old, new = make_marked(), make_marked(train=half)
    versions = old.record.versions.model_copy(update={"airflow": "3.3.1", "python": "3.12.1"})
    old = old.model_copy(update={"record": old.record.model_copy(update={"versions": versions})})
    (found,) = compare(make_class(old, engine="other"), make_class(new)).moved
    assert found.after == (
        "another Airflow: 3.3.1, now 3.3.2",
        "another Python: 3.12.1, now 3.11.9",
    )


def test_all_changes_are_named(moved):
    found = moved(files={1: b"another"}, seed=8)
    assert found.after == ("their file changed", "another seed: 7, now 8")


# --- the files ----------------------------------------------------------------------------------


def test_a_folder_or_a_file_is_read(tmp_path, varied):
    (tmp_path / "class.json").write_bytes(as_json(varied.model_dump(mode="json")))
    assert load_class(tmp_path) == load_class(tmp_path / "class.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no class.json of version 1"),
        (b'{"version": 2}', "is no class.json of version 1"),
        (b'{"version": 1, "title": 3}', "title: Input should be a valid string"),
        (b'{"version": 1, "learners": [{"learner": {"id": "../x"}}]}', "is no class.json: "),
    ],
)
def test_what_is_no_marking_is_one_line(tmp_path, content, words):
    (tmp_path / "class.json").write_bytes(content)
    with pytest.raises(Unusable) as caught:
        load_class(tmp_path)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(Unusable, match="cannot be read: No such file"):
        load_class(tmp_path / "nowhere")


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """Compare two classes by the command."""

    def run(old, new, *more):
        for name, result in (("old", old), ("new", new)):
            (tmp_path / name).mkdir(exist_ok=True)
            data = as_json(result.model_dump(mode="json"))
            (tmp_path / name / "class.json").write_bytes(data)
        places = [str(tmp_path / "old"), str(tmp_path / "new")]
        return CliRunner().invoke(app, ["compare", *places, *more])

    return run


def test_the_command_ends_with_1_if_marks_moved(run, make_marked, make_class, half):
    done = run(make_class(make_marked("jana")), make_class(make_marked("jana", train=half), seed=8))
    assert done.exit_code == 1
    row = next(line for line in done.stdout.splitlines() if "Jana" in line)
    assert [part.strip() for part in row.split("   ") if part.strip()] == [
        "Jana", "01", "10 > 6", "4 > 0 in 1. Title of loads.", "another seed: 7, now 8",
    ]  # fmt: skip
    assert done.stdout.rstrip().endswith("1 mark of 1 learner moved; 1 compared.")


def test_the_command_ends_with_0_if_none_did(run, make_marked, make_class):
    old, new = make_class(make_marked("ada")), make_class(make_marked("ada"), make_marked("ben"))
    done = run(old, new)
    assert (done.exit_code, done.stdout) == (
        0, "New in the class: ben.\nNo mark moved; 1 learner compared.\n",
    )  # fmt: skip


def test_the_comparison_as_json_fits_its_schema(run, varied, make_class, make_marked, tmp_path):
    path = tmp_path / "moved.json"
    new = make_class(*(make_marked(m.learner.id) for m in varied.learners[:-1]), make_marked("zoe"))
    assert run(varied, new, "--json", str(path)).exit_code == 1
    data = json.loads(path.read_text("utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    assert {m["learner"] for m in data["moved"]} == {"evil", "lost", "nobody", "omar"}
    assert (data["came"], data["left"]) == (["zoe"], ["tara"])


def test_a_hostile_name_is_shown_as_text(run, varied, make_class, make_marked):
    text = run(varied, make_class(make_marked("evil"))).stdout
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("arguments", [["", "x"], ["x", ""], ["nowhere", "nowhere"]])
def test_bad_usage_is_one_line_and_2(arguments):
    done = CliRunner().invoke(app, ["compare", *arguments])
    assert done.exit_code == 2
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_one_line_and_2(run, varied, tmp_path):
    done = run(varied, varied, "--json", str(tmp_path / "nowhere" / "x.json"))
    assert done.exit_code == 2
    assert "was not written: No such file or directory." in done.stderr


def test_what_is_no_file_is_not_written_over(run, varied, tmp_path):
    done = run(varied, varied, "--json", "/dev/null")
    assert done.exit_code == 2 and "/dev/null is not a file" in done.stderr
    assert not Path("/dev/null").is_file()
    assert run(varied, varied, "--json", str(tmp_path)).exit_code == 2
