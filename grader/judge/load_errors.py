"""What it means that a file raised an error while it was loaded, for mistakes that many make.

Only what the error itself proves: it must not guess at what was meant.
"""

from __future__ import annotations

import re

from grader.transcript import Error

OTHER = "Airflow loads the file without an error"
PAGE = "docs/from-airflow-2.md tells where things went"
# By what the type and the message of the error look like; the first that fits.
MEANINGS = {
    r"(SyntaxError|IndentationError|TabError): ": "The file is valid Python",
    r"AirflowDagCycleException: ": (
        "Every task comes after the ones it needs, and never before itself"
    ),
    r"ModuleNotFoundError: No module named 'airflow\b": (
        f"A module that Airflow 3 has: most of what a DAG needs is in `airflow.sdk`; {PAGE}"
    ),
    r"ModuleNotFoundError: ": (
        "It imports the standard library and Airflow only; no other file is marked"
    ),
    r"ImportError: cannot import name .* from 'airflow\b": (
        "A name that this module of Airflow 3 has: most of what a DAG needs is in `airflow.sdk`, "
        f"exceptions are in `airflow.sdk.exceptions`; {PAGE}"
    ),
    r"TypeError: DAG\.__init__\(\) got an unexpected keyword argument 'schedule_interval'": (
        "In Airflow 3 the argument is called `schedule`"
    ),
    r"TypeError: DAG\.__init__\(\) got an unexpected keyword argument": (
        f"Arguments that `@dag` has in Airflow 3; {PAGE}"
    ),
    r"\w+: .*_TaskDecorator": (
        "A function with `@task` becomes a task where it is called: "
        "`name()`, with brackets and with what it takes"
    ),
    r"\w+: .*XComArg": (
        "What calling a task gives is only a placeholder while the file loads: "
        "hand it to another task, and reckon with it inside that one"
    ),
    r"TypeError: missing a required argument": (
        "Each task is called with all that its function takes"
    ),
    r"TypeError: Invalid arguments were passed to": (
        "Arguments that a task has, spelled as Airflow spells them"
    ),
    r"ValueError: Callbacks of type \w+ are not currently supported": (
        "The callback is wrapped, in `AsyncCallback(...)` or `SyncCallback(...)`"
    ),
    r"AttributeError: 'str' object has no attribute 'utcoffset'": (
        "A date is `datetime(2024, 1, 1)`, and no text"
    ),
}


def wanted_instead(error: Error) -> str:
    """What the file should be like, without a full stop."""
    told = f"{error.type}: {error.message}"
    fitting = (meaning for pattern, meaning in MEANINGS.items() if re.match(pattern, told))
    return next(fitting, OTHER)
