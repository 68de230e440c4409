"""The transcript: what a reader takes and what it refuses. Without Airflow."""

from __future__ import annotations

import copy
import json

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from grader.schemas.generate import FOLDER
from grader.transcript import Transcript

SCHEMA = json.loads((FOLDER / "transcript.schema.json").read_text("utf-8"))

TASK = {
    "task_id": "load", "operator": "_PythonDecoratedOperator", "line": 12, "upstream": [],
    "trigger_rule": "all_success", "retries": 2, "retry_delay": 60.0,
    "retry_exponential_backoff": False, "pool": "default_pool",
}  # fmt: skip
FULL = {
    "version": 1,
    "scenario": "clean data",
    "dag_ids": ["train"],
    "dag": {
        "dag_id": "train", "next_runs": ["2024-01-01T02:00:00+00:00"], "catchup": False,
        "tags": ["ml"], "params": {"a": [1, None, {"b": 0.5}]}, "tasks": [TASK],
    },
    "runs": [
        {
            "dag_id": "press",
            "logical_date": "2024-01-01T02:00:00+00:00",
            "start": "2024-01-01T02:00:00+00:00",
            "end": "2024-01-01T02:00:09+00:00",
            "state": "failed",
            "asset_events": [
                {"asset": "features", "task_id": "load",
                 "extra": {"is_json": True, "json_value": {}, "type": "dict", "repr": "{}"}}
            ],
            "deadlines": [
                {"name": "late", "due": "2024-01-01T02:00:00+00:00", "missed": True,
                 "error": {"type": "ValueError", "message": "no"}, "output": "called"}
            ],
            "databases": {
                "x.db": {"t": {"columns": ["a"], "rows": [[1], [None]], "total": 2}}
            },
            "instances": [{"task_id": "load", "state": "failed", "try_number": 1}],
            "tries": [
                {
                    "task_id": "load", "number": 1, "start": "2024-01-01T02:00:00+00:00",
                    "end": "2024-01-01T02:00:01+00:00", "state": "failed",
                    "error": {"type": "ValueError", "message": "no rows", "line": 14},
                    "xcoms": {
                        "return_value": {"is_json": True, "json_value": {"rows": 3},
                                         "type": "dict", "repr": "{'rows': 3}"},
                        "model": {"is_json": False, "type": "object", "repr": "<object>"},
                    },
                }
            ],
        }
    ],
    "loading": {"slept": 1.5, "touched": ["run curl"]},
    "files": [{"path": "out.bin", "size": 3}],
    "metrics": [{"name": "airflow.ti.finish", "value": 1.0, "type": "c", "tags": {"a": "b"}}],
    "mails": [{"sender": "a@b", "recipients": ["c@d"], "subject": "s", "body": "b"}],
    "requests": [{"method": "POST", "path": "/x"}],
    "breach": {"limit": "seconds", "detail": "30 s", "phase": "run", "task_id": "load"},
}  # fmt: skip


def test_a_full_transcript_survives_the_way_through_json():
    transcript = Transcript.model_validate_json(json.dumps(FULL))
    assert Transcript.model_validate_json(transcript.model_dump_json()) == transcript


def test_what_is_written_fits_the_schema():
    validator = Draft202012Validator(SCHEMA)
    for transcript in (Transcript.model_validate(FULL), Transcript(scenario="nothing happened")):
        validator.validate(json.loads(transcript.model_dump_json()))


def test_the_schema_has_all_that_a_run_and_a_try_are_made_of():
    tries, runs = SCHEMA["$defs"]["Try"]["required"], SCHEMA["$defs"]["Run"]["required"]
    assert {"start", "end", "state", "error", "output", "xcoms", "rendered"} <= set(tries)
    assert {"logical_date", "state", "instances", "tries"} <= set(runs)
    assert {"version", "import_error", "dag", "runs", "files", "metrics", "mails", "requests"} <= (
        set(SCHEMA["required"])
    )


def changed(path, value):
    data = copy.deepcopy(FULL)
    *way, last = path
    place = data
    for step in way:
        place = place[step]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("verdict",), "passed"),
        (("scenario",), None),
        (("dag", "catchup"), "false"),
        (("dag", "tasks", 0, "retries"), "2"),
        (("dag", "tasks", 0, "marks"), 100),
        (("runs", 0, "state"), "perfect"),
        (("runs", 0, "instances", 0, "state"), "passed"),
        (("runs", 0, "tries", 0, "number"), "1"),
        (("runs", 0, "tries", 0, "error", "line"), "14"),
        (("files", 0, "size"), "3"),
        (("breach", "limit"), "patience"),
    ],
)
def test_what_does_not_belong_is_refused(path, value):
    """By the reader and by the schema alike: a worker that was taken over cannot smuggle."""
    Transcript.model_validate(FULL)
    with pytest.raises(ValidationError):
        Transcript.model_validate_json(json.dumps(changed(path, value)))
    complete = json.loads(Transcript.model_validate(FULL).model_dump_json())
    *way, last = path
    place = complete
    for step in way:
        place = place[step]
    place[last] = value
    assert not Draft202012Validator(SCHEMA).is_valid(complete)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "{", '{"scenario": "x"} {}', "\x00"])
def test_what_is_no_transcript_is_refused(text):
    with pytest.raises(ValidationError):
        Transcript.model_validate_json(text)


def test_a_transcript_cannot_be_changed():
    transcript = Transcript.model_validate(FULL)
    with pytest.raises(ValidationError):
        transcript.scenario = "another"
