"""The command line as a person meets it, in a copy of the repository: exit codes and one-liners."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import psutil
import pytest
from repository import PART, Repo, finish, one_line

from grader import collect
from grader.course import ROOT
from grader.judge.record import Record

SCHEMA = json.loads((ROOT / "grader" / "schemas" / "record.schema.json").read_text("utf-8"))
MARKER = "words-of-the-submission"
HANGS = "import threading\n\nthreading.Event().wait(120)\n"


Done = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def done(repo: Repo) -> Done:
    """The solution, made loud, and the untouched stub: each graded once, at the same time."""
    solved = (repo.folder / "solutions" / PART.slug / PART.dag_file).read_text("utf-8")
    loud = f'{solved}\nimport os\n\nprint("{MARKER}")\nos.system("echo {MARKER} >&2")\n'
    assert "return " in loud
    loud = re.sub(r"^( +)return ", rf'\1print("{MARKER}")\n\1return ', loud, flags=re.M)
    repo.submit("loud", loud)
    loud_run = repo.start(
        "grader", "grade", PART.number, "--submission", "loud", "--json", "loud.json", "--timings"
    )
    stub_run = repo.start("grader", "grade", PART.slug, "--jobs", "1", "--json", "stub.json")
    return {"loud": finish(loud_run), "stub": finish(stub_run)}


def record_of(repo: Repo, name: str) -> Record:
    """A JSON report that was written, checked against its schema."""
    text = (repo.folder / name).read_text("utf-8")
    jsonschema.validate(json.loads(text), SCHEMA)
    return Record.model_validate_json(text)


def test_all_passed_is_exit_0(repo: Repo, done: Done) -> None:
    assert done["loud"].returncode == 0, done["loud"].stderr
    record = record_of(repo, "loud.json")
    assert record.points == record.max_points == PART.max_points
    assert (record.submission, record.seed, record.exit_code) == ("loud", 0, 0)
    assert {c.status for c in record.parts[0].checks} == {"passed"}
    assert f"{PART.max_points}" in done["loud"].stdout


def test_something_failed_is_exit_1(repo: Repo, done: Done) -> None:
    assert done["stub"].returncode == 1, done["stub"].stderr
    record = record_of(repo, "stub.json")
    assert record.points == 0
    failed = [c for c in record.parts[0].checks if c.status == "failed"]
    assert failed and all(c.blame == "submission" and c.message for c in failed)
    place = f"exercises/{PART.slug}/{PART.dag_file}"
    assert all((c.location or "").startswith(place) for c in failed)
    assert "TODO 1" in done["stub"].stdout


def test_what_a_submission_prints_is_not_in_the_report(repo: Repo, done: Done) -> None:
    text = done["loud"].stdout + done["loud"].stderr + (repo.folder / "loud.json").read_text()
    assert MARKER not in text
    kept = "".join(p.read_text() for p in (repo.work / "cache").iterdir())
    assert MARKER in kept, "it was printed, and the transcripts have it"


def test_the_timings_say_where_the_time_goes(done: Done) -> None:
    assert "import airflow" in done["loud"].stdout
    assert "import airflow" not in done["stub"].stdout


def test_plain_lines_where_there_is_no_terminal(done: Done) -> None:
    assert "Loading Airflow" in done["stub"].stderr
    assert "\x1b" not in done["stub"].stderr + done["stub"].stdout


def test_nothing_is_left(repo: Repo, done: Done) -> None:
    assert list(repo.person.iterdir()) == []
    assert list((repo.work / "run").iterdir()) == []


def test_the_schema_refuses_a_record_that_is_not_whole(repo: Repo, done: Done) -> None:
    whole = json.loads((repo.folder / "stub.json").read_text())
    for damage in ({"points": None}, {"parts": [{}]}, {"version": 2}, {"more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(whole | damage, SCHEMA)


def test_the_same_seed_again_costs_nothing_and_says_the_same(repo: Repo, done: Done) -> None:
    again = repo.grade(PART.number, "--submission", "loud", "--json", "again.json")
    assert again.returncode == 0
    assert "nothing changed" in again.stderr and "Loading Airflow" not in again.stderr
    assert (repo.folder / "again.json").read_bytes() == (repo.folder / "loud.json").read_bytes()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder that not even root may write to")
def test_a_report_that_cannot_be_written(repo: Repo, done: Done) -> None:
    """Into a folder that nobody may write to. The marks are shown all the same."""
    told = repo.grade(PART.number, "--submission", "loud", "--json", "/proc/record.json")
    assert told.returncode == 2
    assert "was not written" in one_line(told, "")
    assert f"{PART.max_points}" in told.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--json", "exercises"), "exercises is a folder; name a file"),
        (("--submission", "pyproject.toml"), "is a file; name the folder"),
    ],
)
def test_a_place_of_the_wrong_kind_is_refused_at_once(
    options: tuple[str, ...], why: str, repo: Repo
) -> None:
    told = repo.grade(PART.number, *options)
    assert told.returncode == 2
    assert why in one_line(told, "")
    assert not told.stdout


def test_plain_pytest(repo: Repo, done: Done) -> None:
    """For whoever writes checks; the transcripts are those of the command line."""
    command = ("pytest", "grader/checks", "--part", PART.number, "-q", "-p", "no:cacheprovider")
    count = len(collect.checks(PART))
    good = repo.run(*command, "--submission", "loud")
    assert good.returncode == 0, good.stdout
    assert f"{count} passed" in good.stdout
    bad = repo.run(*command, "--submission", "exercises")
    assert bad.returncode == 1
    assert "TODO 1" in bad.stdout and "passed" not in bad.stdout.splitlines()[-1]
    assert MARKER not in good.stdout


def test_a_broken_check_is_the_graders_fault(repo: Repo, done: Done) -> None:
    broken = '\n\n@check(task=1)\ndef test_broken(observe):\n    """It breaks."""\n    {}["x"]\n'
    text = repo.check_file.read_text("utf-8")
    with repo.changed(repo.check_file, text + broken):
        told = repo.grade(PART.number, "--submission", "loud", "--json", "broken.json")
    assert told.returncode == 4
    (check,) = [c for c in record_of(repo, "broken.json").parts[0].checks if c.id == "broken"]
    assert (check.status, check.blame, check.points) == ("error", "grader", 0)
    others = [c for c in record_of(repo, "broken.json").parts[0].checks if c.id != "broken"]
    assert {c.status for c in others} == {"passed"}


def test_a_check_file_that_does_not_load_is_the_graders_fault(repo: Repo, done: Done) -> None:
    with repo.changed(repo.check_file, "raise RuntimeError('half a file')\n"):
        told = repo.grade(PART.number, "--submission", "loud")
    assert told.returncode == 4
    assert "half a file" in one_line(told, "the grader itself failed, not you")
    assert "Traceback" in (repo.work / "grader.log").read_text()
    assert told.stdout == ""


def test_without_airflow_it_is_the_environment(repo: Repo, done: Done) -> None:
    with repo.changed(repo.folder / "airflow.py", "raise ImportError('broken on purpose')\n"):
        told = repo.grade(PART.number, "--no-cache", "--json", "none.json")
    assert told.returncode == 3
    line = one_line(told, "environment: Airflow could not be loaded")
    assert "broken on purpose" in line and "worker.log" in line
    assert told.stdout == "" and not (repo.folder / "none.json").exists()


@pytest.mark.parametrize("moment", ["while Airflow loads", "while a scenario runs"])
def test_ctrl_c(moment: str, repo: Repo) -> None:
    """One line, nothing marked, nobody left running."""
    name = moment.replace(" ", "_")
    repo.submit(name, HANGS)
    grading = repo.start("grader", "grade", PART.number, "--submission", name, "--json", "c.json")
    generations = 1 if moment == "while Airflow loads" else 3  # worker, keeper, child
    while depth(workers(grading.pid)) < generations and grading.poll() is None:
        time.sleep(0.02)
    below = [found for w in workers(grading.pid) for found in (w, *w.children(recursive=True))]
    os.killpg(grading.pid, signal.SIGINT)
    started = time.monotonic()
    told = finish(grading)
    assert time.monotonic() - started < 20
    assert told.returncode == 130
    one_line(told, "stopped; nothing was marked")
    assert (told.stdout, (repo.folder / "c.json").exists()) == ("", False)
    _, living = psutil.wait_procs(below, timeout=5)
    assert below and not living
    runs = repo.work / "run"
    assert not runs.exists() or list(runs.iterdir()) == []


def workers(pid: int) -> list[psutil.Process]:
    """The workers that a grading process has, not what it starts for a moment besides."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):  # ended meanwhile
        for child in psutil.Process(pid).children():
            found += [child] if "grader.worker" in " ".join(child.cmdline()) else []
    return found


def depth(processes: list[psutil.Process]) -> int:
    """How many generations of processes there are, these included."""
    try:
        return max((1 + depth(p.children()) for p in processes), default=0)
    except psutil.NoSuchProcess:
        return 0
