"""All outputs together: which files there are, that each is whole, and what becomes of old ones."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from classroom.outputs import FEEDBACK, write_all
from classroom.outputs.files import remove_old, write_files
from classroom.result import ClassResult
from classroom.schemas import generate
from grader.schemas.generate import schema_of

SCHEMA = json.loads((generate.FOLDER / "class.schema.json").read_text("utf-8"))
OF_LEARNERS = {"feedback.md", "results.gradescope.json", "results.exercism.json", "junit.xml"}


@pytest.fixture(autouse=True)
def no_summary(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def out(tmp_path, course, varied) -> Path:
    """A folder with everything in it."""
    assert write_all(varied, {}, course, tmp_path / "out") == []
    return tmp_path / "out"


def everything(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


# --- class.json ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", generate.MODELS)
def test_the_schemas_in_the_repo_are_those_that_the_models_give(name):
    written = (generate.FOLDER / f"{name}.schema.json").read_text("utf-8")
    wanted = schema_of(*generate.MODELS[name])
    assert written == wanted, "run: python -m classroom.schemas.generate"
    Draft202012Validator.check_schema(json.loads(wanted))


def test_the_generator_rewrites_them(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    generate.main()
    assert sorted(os.listdir(tmp_path)) == ["class.schema.json", "comparison.schema.json"]


def test_the_class_fits_its_schema_and_comes_back_as_it_was(out, varied):
    data = json.loads((out / "class.json").read_text("utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    read = ClassResult.model_validate(data)
    assert read.learners[0].record == varied.learners[0].record
    assert {m.learner.number for m in read.learners} == {"", "42"}
    data["learners"][0]["record"]["points"] = "2"
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(data)


def test_half_a_character_does_not_break_the_file(out):
    text = (out / "class.json").read_text("utf-8")
    assert "\\ud800" not in text and "evil\u202c ? " in text


# --- the files ----------------------------------------------------------------------------------


def test_each_output_is_there_and_nothing_else(out, varied):
    ids = {marked.learner.id for marked in varied.learners}
    wanted = {"class.json", "gradebook.csv", "class.html", "summary.md"}
    wanted |= {f"learners/{id}/{name}" for id in ids for name in OF_LEARNERS}
    assert set(everything(out)) == wanted


def test_the_same_marks_give_the_same_bytes(out, tmp_path, course, varied):
    write_all(varied.model_copy(deep=True), {}, course, tmp_path / "again")
    assert everything(tmp_path / "again") == everything(out)


def test_a_link_on_the_page_leads_to_a_file(out):
    links = re.findall(r'href="(learners/[^"]*)"', (out / "class.html").read_text("utf-8"))
    assert links and all((out / link).is_file() for link in links)


def test_a_file_that_is_the_same_already_is_left_alone(out, course, varied):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    (out / "class.html").write_text("old")
    write_all(varied, {}, course, out)
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert [path.name for path in after if after[path] != before[path]] == ["class.html"]
    assert (out / "class.html").read_text("utf-8") != "old"


def test_the_files_of_who_left_the_class_are_removed_and_nothing_else(
    out, course, varied, make_class
):
    (out / "learners" / "omar" / "my own notes.txt").write_text("keep")
    (out / "learners" / "a file").write_text("keep")
    (out / "learners" / "not ours").mkdir()
    (out / "learners" / "elsewhere").symlink_to(out / "learners" / "ada")
    rest = [m for m in varied.learners if m.learner.id not in ("omar", "tara")]
    assert write_all(make_class(*rest), {}, course, out) == ["omar", "tara"]
    assert os.listdir(out / "learners" / "omar") == ["my own notes.txt"]
    assert not (out / "learners" / "tara").exists()
    assert sorted(os.listdir(out / "learners")) == [
        "a file", "ada", "elsewhere", "evil", "lost", "nobody", "omar",
    ]  # fmt: skip
    assert (out / "learners" / "ada" / FEEDBACK).is_file()
    assert write_all(make_class(*rest), {}, course, out) == [], "said once"


def test_where_there_is_no_folder_nobody_left(tmp_path):
    assert remove_old(tmp_path, [], OF_LEARNERS) == []


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    write_files(tmp_path, {"a/b.txt": b"old"})

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.report.json_file.os.fsync", full)
    with pytest.raises(OSError, match=r"b\.txt was not written: No space left on device\.$"):
        write_files(tmp_path, {"a/b.txt": b"new", "c.txt": b"never"})
    assert everything(tmp_path) == {"a/b.txt": b"old"}


def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path):
    (tmp_path / "learners").write_text("x")
    with pytest.raises(OSError, match=r"feedback\.md was not written: [A-Z][a-z ]+\.$") as caught:
        write_files(tmp_path, {"learners/ada/feedback.md": b"x"})
    assert "\n" not in str(caught.value)


def test_the_summary_goes_where_github_says(tmp_path, course, varied, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step"))
    write_all(varied, {}, course, tmp_path / "out")
    assert (tmp_path / "step").read_bytes() == (tmp_path / "out" / "summary.md").read_bytes()
