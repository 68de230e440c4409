"""What many write by mistake, loaded by Airflow itself: the message says what to write instead."""

from __future__ import annotations

import pytest
from probing import Probe, Seen, loaded, source

from grader.judge.load_errors import MEANINGS, OTHER, wanted_instead
from grader.judge.problems import import_problem

TASKS = """
    @task
    def fetch():
        return 1

    @task
    def count(n=0):
        return n

"""
ALERT = "deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=2), tell)"
DEADLINE = """
    from airflow.sdk import DeadlineAlert, DeadlineReference

    async def tell(**kwargs): ...
    """
# What stands in the file, and a piece of what is wanted instead.
MISTAKES = {
    "cycle": (
        source(TASKS + "    first, second = fetch(), count()\n    first >> second >> first"),
        "never before itself",
    ),
    "no_python": ("def f(:\n", "valid Python"),
    "other_file": ("from helper_beside import x\n", "no other file is marked"),
    "old_module": ("from airflow.datasets import Dataset\n", "docs/from-airflow-2.md"),
    "old_name": ("from airflow.utils.dates import days_ago\n", "docs/from-airflow-2.md"),
    "exception_elsewhere": (
        "from airflow.sdk import AirflowFailException\n",
        "`airflow.sdk.exceptions`",
    ),
    "schedule_interval": (source(TASKS, "schedule_interval=None"), "called `schedule`"),
    "old_argument": (source(TASKS, "concurrency=3"), "Arguments that `@dag` has"),
    "functions_in_order": (source(TASKS + "    fetch >> count"), "`name()`, with brackets"),
    "function_after_task": (source(TASKS + "    fetch() >> count"), "`name()`, with brackets"),
    "function_as_setup": (
        source(TASKS + "    count().as_teardown(setups=fetch)"),
        "`name()`, with brackets",
    ),
    "reckoned": (source(TASKS + "    count(fetch() + 1)"), "only a placeholder"),
    "compared": (source(TASKS + "    count(fetch() > 1)"), "only a placeholder"),
    "gone_through": (source(TASKS + "    for n in fetch(): count(n)"), "only a placeholder"),
    "first_of": (source(TASKS + "    count(fetch()[0])"), "only a placeholder"),
    "argument_left_out": (
        source("@task\ndef count(n): return n\n\ncount()"),
        "with all that its function takes",
    ),
    "misspelled": (
        source("@task(retrys=3)\ndef count(): return 1\n\ncount()"),
        "spelled as Airflow spells them",
    ),
    "bare_callback": (source(TASKS, ALERT, before=DEADLINE), "`AsyncCallback(...)`"),
    "date_as_text": (
        source(TASKS, 'schedule=None, start_date="2024"'),
        "`datetime(2024, 1, 1)`",
    ),
    "its_own": ('raise ValueError("odd")\n', OTHER),
}
PROBES = {f"mistake_{name}": Probe(text, (loaded(),)) for name, (text, _) in MISTAKES.items()}


@pytest.mark.parametrize("name", MISTAKES)
def test_it_says_what_to_write_instead(name: str, seen: Seen) -> None:
    error = seen(f"mistake_{name}").import_error
    assert error is not None
    assert MISTAKES[name][1] in wanted_instead(error)
    assert wanted_instead(error) in import_problem(error).expected


def test_each_meaning_belongs_to_a_mistake(seen: Seen) -> None:
    errors = [seen(probe).import_error for probe in PROBES]
    assert set(MEANINGS.values()) <= {wanted_instead(e) for e in errors if e}
