"""Part 07: a real scheduler calls the callback of a run that is late, and keeps quiet otherwise.

The grader works out for itself when a scheduler would call. Here one does.
"""

from __future__ import annotations

import re

from clients import eventually, text
from conftest import HOME, Stack
from nights import DEADLINE, Nights

RECIPIENTS = {"warn": "churn-team@example.com", "page": "alerts@example.com"}
CALLBACKS = HOME / "airflow" / "logs" / "executor_callbacks" / DEADLINE
# The stack's hours have 20 seconds, and the page is due after four of them.
SECONDS = 180


def mail(stack: Stack, level: str, run_id: str) -> str:
    """The one mail of a level about a run."""
    subject = f"{level}: the new model is not there yet"
    found = eventually(lambda: stack.inbox.about(subject, f"run_id: {run_id}\n"), seconds=SECONDS)
    (one,) = found
    assert [person["Address"] for person in one["To"]] == [RECIPIENTS[level]]
    return text(one)


def fact(mail: str, name: str) -> str:
    """What a mail says under a name."""
    found = re.search(rf"^{name}: (.*)$", mail, re.M)
    assert found, mail
    return found[1]


def test_a_late_run_warns_and_pages_and_goes_on(solved: Stack, nights: Nights) -> None:
    waiting = {"train_model (running)", "publish_model (None)"}
    for level in RECIPIENTS:
        told = mail(solved, level, nights.late)
        assert fact(told, "dag_id") == DEADLINE
        assert set(fact(told, "unfinished").split(", ")) == waiting
        assert 0 <= int(fact(told, "late_seconds")) < SECONDS
        page = f"http://localhost:8080/dags/{DEADLINE}/runs/manual__"
        assert fact(told, "link").startswith(page)
    assert solved.airflow.wait(DEADLINE, nights.late, SECONDS)["state"] == "success"


def test_a_run_that_was_late_from_the_start_says_by_how_much(solved: Stack, nights: Nights) -> None:
    """Switched on, the DAG makes the run of 02:00, whose hours are over."""
    (run, *_) = solved.airflow.automatic(DEADLINE, 1, SECONDS)
    assert run["state"] == "success"
    for level in RECIPIENTS:
        assert int(fact(mail(solved, level, run["dag_run_id"]), "late_seconds")) >= 0


def test_a_failed_run_is_told_once_and_not_again_at_six(solved: Stack, nights: Nights) -> None:
    assert solved.airflow.run(DEADLINE, nights.failed)["state"] == "failed"
    assert solved.inbox.about(f"failed: train_model of {DEADLINE}", "the disk is full")

    def logs() -> list[str]:
        """What the callbacks of this run have printed."""
        return [file.read_text("utf-8") for file in (CALLBACKS / nights.failed).glob("*")]

    quiet = f"{nights.failed} is over: failed"
    eventually(logs, lambda told: sum(quiet in log for log in told) == 2, SECONDS)
    assert not solved.inbox.about("the new model is not there yet", f"run_id: {nights.failed}\n")
