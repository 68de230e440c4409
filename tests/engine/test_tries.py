"""A transcript holds each try: state, error, XComs, rendered fields, output; and the files."""

from __future__ import annotations

import pytest
from probing import Probe, Seen, facts, ran, source, states

TRIES = source(
    """
    @task
    def gives(params, dag_run, ti):
        ti.xcom_push(key="extra", value=[1, None, "ü"])
        return {"name": params["name"], "conf": dag_run.conf["name"], "day": str(ti.try_number)}

    @task(multiple_outputs=True)
    def gives_two():
        return {"one": 1, "two": 2.5}

    @task(retries=2, retry_delay=timedelta(seconds=5))
    def third_time(ti):
        print(f"this is try {ti.try_number}")
        if ti.try_number < 3:
            raise OSError(f"not yet, {ti.try_number}")  # third time
        return ti.try_number

    @task
    def deep():
        def helper(rows):
            return rows["age"]  # the inner line

        return helper({})

    @task
    def in_library():
        import json

        return json.loads("{")  # the learner's own line

    @task(retries=3)
    def gives_up():
        from airflow.sdk.exceptions import AirflowFailException

        raise AirflowFailException("never again")

    @task
    def skips():
        from airflow.sdk.exceptions import AirflowSkipException

        raise AirflowSkipException("nothing to do")

    @task
    def silent_error():
        class Odd(Exception):
            def __str__(self):
                raise ValueError

        raise Odd

    @task
    def after_error(x):
        return x

    shell = BashOperator(
        task_id="shell",
        bash_command="echo {{ ds }} $WHO; echo oops >&2; exit {{ params.code }}",
        env={"WHO": "{{ params.name }}"},
        append_env=True,
    )
    gives() >> gives_two() >> third_time() >> skips()
    after_error(deep())
    in_library(), gives_up(), silent_error()
    shell
    """,
    'schedule=None, params={"name": "nobody", "code": 7}',
    before="from airflow.providers.standard.operators.bash import BashOperator",
)
OUTPUT = source(
    """
    @task
    def talks():
        print("printed")
        print("to stderr", file=sys.stderr)
        logging.getLogger("mine").warning("logged %s", "lazily")
        logging.getLogger(__name__).info("a note")
        logging.getLogger("mine").debug("debugging")
        os.system("echo from a child")
        os.write(1, b"raw\\xff")

    @task
    def talks_more():
        print("BEGIN" + "y" * 100_000 + "END")

    @task
    def writes():
        from pathlib import Path
        import tempfile

        Path("here.txt").write_text("here")
        Path(__file__).with_name("beside.txt").write_text("beside")
        deep = Path(tempfile.gettempdir()) / "heron" / "probe"
        deep.mkdir(parents=True)
        (deep / "model.bin").write_bytes(bytes([255, 0]))
        (Path.home() / "big.txt").write_text("z" * 100_000)
        return Path(__file__).with_name("given.csv").read_text()

    talks() >> talks_more() >> writes()
    """,
    before="import logging",
)
PROBES = {
    "tries": Probe(TRIES, (ran(conf={"name": "Ada"}),)),
    "output": Probe(OUTPUT, (ran(files={"given.csv": "a,b\r\n1,ü\r\n"}),)),
}


def test_a_try_that_succeeds(seen: Seen) -> None:
    gives = seen.only_try("tries", "gives")
    assert (gives.number, gives.state, gives.error) == (1, "success", None)
    assert gives.xcoms["extra"].json_value == [1, None, "ü"]
    value = gives.xcoms["return_value"]
    assert value.json_value == {"name": "Ada", "conf": "Ada", "day": "1"}
    assert (value.is_json, value.type) == (True, "dict")


def test_each_output_has_its_own_key(seen: Seen) -> None:
    found = {k: v.json_value for k, v in seen.only_try("tries", "gives_two").xcoms.items()}
    assert found == {"return_value": {"one": 1, "two": 2.5}, "one": 1, "two": 2.5}


def test_every_try_is_kept(seen: Seen) -> None:
    first, second, third = seen.tries("tries", "third_time")
    assert [t.number for t in (first, second, third)] == [1, 2, 3]
    assert [t.state for t in (first, second, third)] == ["up_for_retry", "up_for_retry", "success"]
    assert first.error is not None and second.error is not None
    assert (first.error.type, first.error.message) == ("OSError", "not yet, 1")
    assert second.error.message == "not yet, 2"
    assert first.error.line == PROBES["tries"].line("# third time")
    assert "this is try 1" in first.output and "this is try 2" not in first.output
    assert "this is try 2" in second.output and "this is try 1" not in second.output
    assert first.xcoms == {} and third.xcoms["return_value"].json_value == 3


@pytest.mark.parametrize(
    ("task_id", "kind", "marker"),
    [
        ("deep", "KeyError", "# the inner line"),
        ("in_library", "JSONDecodeError", "# the learner's own line"),
    ],
)
def test_an_error_names_the_innermost_line_of_the_file(
    task_id: str, kind: str, marker: str, seen: Seen
) -> None:
    failed, probe = seen.only_try("tries", task_id), PROBES["tries"]
    assert failed.state == "failed"
    assert failed.error is not None
    line = probe.line(marker)
    assert (failed.error.type, failed.error.line) == (kind, line)
    assert failed.error.text == probe.text.splitlines()[line - 1].strip()


def test_an_exception_that_cannot_be_shown(seen: Seen) -> None:
    error = seen.only_try("tries", "silent_error").error
    assert error is not None
    assert error.type == "Odd" and "__str__" in error.message


def test_the_state_that_each_task_is_left_in(seen: Seen) -> None:
    run = seen.run("tries")
    assert states(run) == {
        "gives": "success",
        "gives_two": "success",
        "third_time": "success",
        "skips": "skipped",
        "deep": "failed",
        "after_error": "upstream_failed",
        "in_library": "failed",
        "gives_up": "failed",
        "silent_error": "failed",
        "shell": "failed",
    }
    assert (run.state, run.conf) == ("failed", {"name": "Ada"})
    assert seen.only_try("tries", "skips").state == "skipped"
    assert seen.tries("tries", "after_error") == []
    assert [i.try_number for i in run.instances if i.task_id == "third_time"] == [3]


def test_no_retry_after_a_final_failure(seen: Seen) -> None:
    only = seen.only_try("tries", "gives_up")
    assert only.error is not None and only.error.message == "never again"
    assert facts(seen("tries"), "gives_up").retries == 3


def test_rendered_fields_and_a_shell_that_fails(seen: Seen) -> None:
    shell = seen.only_try("tries", "shell")
    command = shell.rendered["bash_command"].json_value
    assert command == "echo 2024-03-05 $WHO; echo oops >&2; exit 7"
    assert shell.rendered["env"].json_value == {"WHO": "Ada"}
    assert "2024-03-05 Ada" in shell.output and "oops" in shell.output
    assert shell.error is not None
    assert "exit code 7" in shell.error.message


def test_output_of_every_kind(seen: Seen) -> None:
    talks = seen.only_try("output", "talks")
    for text in ("printed", "to stderr", "logged lazily", "a note", "from a child", "raw\ufffd"):
        assert text in talks.output
    assert "debugging" not in talks.output and "airflow.sdk" not in talks.output
    assert talks.output_truncated is False


def test_long_output_keeps_its_ends(seen: Seen) -> None:
    more = seen.only_try("output", "talks_more")
    assert more.output_truncated is True
    assert "BEGIN" in more.output and "END" in more.output
    assert "printed" not in more.output
    assert "bytes left out" in more.output and len(more.output) < 40_000


def test_files_that_were_written(seen: Seen) -> None:
    found = {f.path: f for f in seen("output").files}
    assert set(found) == {"here.txt", "part/beside.txt", "heron/probe/model.bin", "big.txt"}
    assert (found["here.txt"].text, found["here.txt"].size) == ("here", 4)
    assert found["part/beside.txt"].text == "beside"
    assert (found["heron/probe/model.bin"].text, found["heron/probe/model.bin"].size) == (None, 2)
    assert (found["big.txt"].text, found["big.txt"].size) == (None, 100_000)


def test_a_file_of_the_scenario_is_there_as_it_is(seen: Seen) -> None:
    value = seen.only_try("output", "writes").xcoms["return_value"]
    assert value.json_value == "a,b\n1,ü\n"  # read with universal newlines
