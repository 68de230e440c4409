"""Heron Mobile's fire drill: a DAG that fails on purpose, and tells people so.

    open_session -> sometimes_fails -> publish_count -> close_session
    refunds.read_dropped_calls -> refunds.price_refunds -> refunds.report

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. You
may add imports. The plain Python above the DAG is finished; call it from the tasks.

Done looks like this: a gateway that is busy is asked again, with longer waits each time. One that
says no is not asked again. The person on call finds a note of each retry and of each failure. The
session is closed whatever happened. And the report on refunds is right, or it is not written.
"""

from __future__ import annotations

import csv
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import (
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    dag,
    get_current_context,
    task,
    task_group,
)

CALLS = Path(__file__).parent / "data" / "dropped_calls.csv"
WORK = Path(tempfile.gettempdir(), "heron/failure_test_pipeline")
SESSION = WORK / "session.json"
NOTES = WORK / "on_call.jsonl"


# Plain Python, finished. It knows of Airflow only how to ask which run this is.


def start_session() -> str:
    """Open a session at the billing gateway and return its name. There can be one at a time."""
    if SESSION.exists():
        left_by = json.loads(SESSION.read_text(encoding="utf-8"))["session"]
        raise RuntimeError(f"the session {left_by} was never closed; it is in {SESSION}")
    name = f"session of {get_current_context()['run_id']}"
    WORK.mkdir(parents=True, exist_ok=True)
    SESSION.write_text(json.dumps({"session": name}), encoding="utf-8")
    return name


def end_session() -> None:
    """Close the session at the billing gateway, if there is one."""
    SESSION.unlink(missing_ok=True)


def ask_gateway(session: str) -> int:
    """Ask the billing gateway how many bills are open.

    What it answers is up to whoever starts the drill: the parameter `gateway` has one answer for
    each try. "busy" raises `ConnectionError`: ask again later. "refused" raises
    `PermissionError`: our key is no longer valid, and it will not be in an hour. A number is the
    number of open bills. Its last answer stays.
    """
    context = get_current_context()
    answers, number = context["params"]["gateway"], context["ti"].try_number
    answer = answers[min(number, len(answers)) - 1]
    if answer == "busy":
        raise ConnectionError(f"the gateway is busy (call {number}, {session})")
    if answer == "refused":
        raise PermissionError(f"the gateway refused our key (call {number}, {session})")
    return int(answer)


def show_on_board(count: int) -> str:
    """Show the number on the board in the billing office and return the sentence."""
    if get_current_context()["params"]["board"] != "on":
        raise OSError(f"the board is off, so nobody can see the {count} open bills")
    return f"{count} bills are open"


def write_note(note: dict[str, Any]) -> None:
    """Add a line to the notes that the person on call reads. It takes what JSON knows."""
    WORK.mkdir(parents=True, exist_ok=True)
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")


def load_calls() -> list[dict[str, str]]:
    """All calls that the network dropped yesterday; every cell is text."""
    with CALLS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def refund_of(call: dict[str, str]) -> int:
    """What a dropped call is refunded with, in cents."""
    return int(call["minutes"]) * int(call["cents_per_minute"])


# For the person on call. Airflow calls these two, with the context of the task that failed.


# --- TODO 3: write down what a person on call needs ---
def note_retry(context: dict[str, Any], event: str = "retry") -> None:
    """Take it all from the context, and add what a person would ask next."""
    ti, run = context["task_instance"], context["dag_run"]
    note: dict[str, Any] = {"event": event, "owner": context["task"].owner}
    note |= {name: getattr(ti, name) for name in ("dag_id", "task_id", "try_number", "log_url")}
    note |= {"run_id": run.run_id, "error": repr(context.get("exception"))}
    write_note(note)


def note_failure(context: dict[str, Any]) -> None:
    """The same, with another event."""
    note_retry(context, "failure")


# --- end of TODO 3 ---


@dag(
    dag_id="failure_test_pipeline",
    description="A fire drill: fail in every way there is, and tell people",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["testing"],
    params={"gateway": ["busy", 412], "board": "on"},
    # --- TODO 3: call them for every task ---
    default_args={"on_retry_callback": [note_retry], "on_failure_callback": [note_failure]},
    # --- end of TODO 3 ---
)
def failure_test_pipeline() -> None:
    """Ask a gateway that is often busy, and report on refunds."""

    @task
    def open_session() -> str:
        """Open the session that the gateway is asked in, and return its name."""
        return start_session()

    @task(
        # --- TODO 1: three more tries, with longer waits each time ---
        retries=3,
        retry_delay=60.0,
        retry_exponential_backoff=True,
        max_retry_delay=180.0,
        retry_policy=ExceptionRetryPolicy(
            rules=[
                RetryRule(
                    exception=PermissionError,
                    action=RetryAction.FAIL,
                    reason="somebody has to renew the key",
                )
            ]
        ),
        # --- end of TODO 1 ---
    )
    def sometimes_fails(session: str) -> int:
        """Return the number of open bills. Ask only once if the gateway says no."""
        # --- TODO 2: give up at once when waiting cannot help ---
        return ask_gateway(session)
        # --- end of TODO 2 ---

    @task
    def publish_count(count: int) -> str:
        """Show the number to the billing office."""
        return show_on_board(count)

    # --- TODO 4: close the session, whatever happened ---
    @task(trigger_rule=TriggerRule.ALL_DONE)
    def close_session() -> None:
        """Close the session, so that the next run can open one."""
        end_session()

    # --- end of TODO 4 ---

    session = open_session()
    count = sometimes_fails(session)
    publish_count(count)
    # --- TODO 4: when it runs ---
    # Beside the publishing, which stays the last task: its state is that of the run.
    closed = close_session()
    count >> closed
    # --- end of TODO 4 ---

    @task_group
    def refunds() -> None:
        """Refund the calls that were dropped. A colleague's work, taken over as it was."""

        # --- TODO 5: find three bugs ---
        @task
        def read_dropped_calls() -> list[dict[str, str]]:
            """All dropped calls."""
            return load_calls()

        @task
        def price_refunds(calls: list[dict[str, str]]) -> list[int]:
            """The refund of each call, in cents."""
            cents = [refund_of(call) for call in calls]
            print(f"Refunds in cents: {cents}")
            return cents

        @task
        def report(cents: list[int]) -> str:
            """The sentence that goes to the accountants."""
            return f"{len(cents)} calls were dropped; we refund {sum(cents)} cents"

        report(price_refunds(read_dropped_calls()))
        # --- end of TODO 5 ---

    refunds()


failure_test_pipeline()
