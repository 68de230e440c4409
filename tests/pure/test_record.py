"""The result record: its exit code, its schema and its file. Without Airflow."""

from __future__ import annotations

import json
import os
import stat

import pytest
from jsonschema import Draft202012Validator, ValidationError
from pydantic import ValidationError as ModelError

from grader.judge.record import CheckResult, Record
from grader.report import write_json
from grader.schemas import generate
from grader.schemas.generate import FOLDER, MODELS, schema_text

SCHEMA = json.loads((FOLDER / "record.schema.json").read_text("utf-8"))


# --- exit codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([("passed", None)], 0),
        ([("passed", None), ("failed", "submission")], 1),
        ([("passed", None), ("not_checked", "submission")], 1),
        ([("failed", "submission"), ("error", "environment")], 3),
        ([("error", "environment"), ("error", "grader"), ("failed", "submission")], 4),
    ],
)
def test_the_exit_code_follows_the_heaviest_blame(make_check, make_part, make_record, checks, code):
    made = [make_check(f"c{n}", 1, s, blame=b, max_points=7) for n, (s, b) in enumerate(checks)]
    assert make_record(make_part(1, *made, *made[:1])).exit_code == code


def test_all_passed_needs_every_mark_and_at_least_one_check(make_check, make_part, make_record):
    passed = make_check("c", 1, max_points=2)
    assert make_record(make_part(1, passed)).exit_code == 1
    assert make_record(make_part(1)).exit_code == 1
    assert make_record().exit_code == 1


# --- the schema ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_in_the_repo_is_the_one_the_models_give(name):
    written = (FOLDER / f"{name}.schema.json").read_text("utf-8")
    assert written == schema_text(name), "run: python -m grader.schemas.generate"


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_is_a_schema(name):
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema") and "$id" not in schema


def test_the_generator_rewrites_both_files(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    generate.main()
    assert sorted(os.listdir(tmp_path)) == ["record.schema.json", "transcript.schema.json"]
    assert (tmp_path / "record.schema.json").read_text("utf-8") == schema_text("record")


def test_a_record_with_every_status_fits_its_schema(all_statuses):
    Draft202012Validator(SCHEMA).validate(all_statuses.model_dump(mode="json"))


def test_what_a_record_promises_is_required():
    parts, checks = SCHEMA["$defs"]["PartResult"], SCHEMA["$defs"]["CheckResult"]
    wanted = {"version", "seed", "points", "max_points", "hashes", "versions", "parts"}
    assert wanted <= set(SCHEMA["required"])
    assert {"id", "title", "points", "max_points", "checks"} == set(parts["required"])
    assert set(checks["required"]) == {
        "id", "task", "title", "status", "blame", "message", "location", "points", "max_points"
    }  # fmt: skip
    assert {"submission", "checks"} == set(SCHEMA["$defs"]["Hashes"]["required"])
    assert {"python", "airflow"} <= set(SCHEMA["$defs"]["Versions"]["required"])
    assert checks["properties"]["status"]["enum"] == ["passed", "failed", "not_checked", "error"]
    (named, null) = checks["properties"]["blame"]["anyOf"]
    assert named["enum"] == ["submission", "grader", "environment"] and null == {"type": "null"}


@pytest.mark.parametrize(
    ("at", "value"),
    [("version", 2), ("status", "skipped"), ("blame", "teacher"), ("points", "2"), ("extra", 1)],
)
def test_the_schema_and_the_model_refuse_the_same(all_statuses, at, value):
    data = all_statuses.model_dump(mode="json")
    check = data["parts"][0]["checks"][0]
    (data if at == "version" else check)[at] = value
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(data)
    if at != "points":
        with pytest.raises(ModelError):
            Record.model_validate(data)


def test_a_record_cannot_be_changed(make_check):
    check: CheckResult = make_check("a", 1, "failed")
    with pytest.raises(ModelError):
        check.points = 2


# --- the file -----------------------------------------------------------------------------------


def test_the_file_holds_the_whole_record(tmp_path, all_statuses):
    path = tmp_path / "result.json"
    write_json(all_statuses, path)
    assert Record.model_validate_json(path.read_bytes()) == all_statuses
    assert os.listdir(tmp_path) == ["result.json"]


def test_text_that_is_no_unicode_does_not_break_the_file(
    tmp_path, make_check, make_part, make_record
):
    part = make_part(0, make_check("a", 1, "failed", message="gr\u00f6\u00dfer \ud800 NaN"))
    write_json(make_record(part), tmp_path / "result.json")
    data = json.loads((tmp_path / "result.json").read_text("utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    assert data["parts"][0]["checks"][0]["message"] == "gr\u00f6\u00dfer ? NaN"


def test_the_file_is_readable_for_others_as_any_new_file(tmp_path, all_statuses):
    (tmp_path / "other").touch()
    write_json(all_statuses, tmp_path / "result.json")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_is_followed(tmp_path, all_statuses):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "result.json")
    write_json(all_statuses, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "there" / "result.json").is_file()


def test_a_folder_that_does_not_exist_is_named(tmp_path, all_statuses):
    with pytest.raises(OSError, match=r"The folder .*nowhere does not exist"):
        write_json(all_statuses, tmp_path / "nowhere" / "result.json")


def test_a_folder_or_a_device_is_not_overwritten(tmp_path, all_statuses):
    for path in (tmp_path, "/dev/null"):
        with pytest.raises(OSError, match="is not a file"):
            write_json(all_statuses, path)
    assert not os.path.isfile("/dev/null")


def test_a_file_in_the_place_of_the_folder_is_a_plain_error(tmp_path, all_statuses):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="was not written"):
        write_json(all_statuses, tmp_path / "file" / "result.json")


@pytest.mark.skipif(os.name != "posix", reason="limits on file size are a POSIX matter")
def test_when_the_disk_takes_only_a_part_the_old_file_stays_whole(tmp_path, all_statuses):
    import resource

    path = tmp_path / "result.json"
    path.write_text("the old one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(OSError, match=r"result\.json was not written: File too large"):
            write_json(all_statuses, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "the old one"
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_when_a_step_fails_nothing_is_left_behind(tmp_path, all_statuses, monkeypatch, call):
    def fail(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(f"grader.report.json_file.os.{call}", fail)
    with pytest.raises(PermissionError, match=r"was not written: Permission denied\.$"):
        write_json(all_statuses, tmp_path / "result.json")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_is_a_plain_error(tmp_path, all_statuses):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="was not written"):
            write_json(all_statuses, tmp_path / "result.json")
    finally:
        tmp_path.chmod(0o755)
