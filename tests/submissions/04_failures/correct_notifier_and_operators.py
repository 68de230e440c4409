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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseNotifier, TaskGroup, get_current_context, setup, task, teardown
from airflow.sdk.exceptions import AirflowFailException

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


class OnCall(BaseNotifier):
    """A note as a notifier."""

    def __init__(self, event: str):
        super().__init__()
        self.event = event

    def notify(self, context: Any) -> None:
        """Called by Airflow."""
        ti = context["ti"]
        write_note(
            {
                "event": self.event,
                "dag_id": context["dag"].dag_id,
                "task_id": ti.task_id,
                "run_id": context["run_id"],
                "try_number": ti.try_number,
                "error": f"{type(context['exception']).__name__}: {context['exception']}",
                "log_url": ti.log_url,
            }
        )


def ask(**context: Any) -> int:
    """Ask the gateway."""
    session = context["ti"].xcom_pull(task_ids="open_session")
    try:
        count = ask_gateway(session)
    except ConnectionError:
        raise
    except Exception as error:
        raise AirflowFailException(f"no further try: {error}") from error
    return count


def price(ti: Any) -> list[int]:
    """Price the calls."""
    calls = ti.xcom_pull(task_ids="refunds.read_dropped_calls")
    return [refund_of(call) for call in calls]


with DAG(
    dag_id="failure_test_pipeline",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    tags=["testing"],
    params={"gateway": ["busy", 412], "board": "on"},
    default_args={
        "on_retry_callback": OnCall("retry"),
        "on_failure_callback": [OnCall("failure")],
    },
):

    @setup
    def open_session() -> str:
        """Open it."""
        return start_session()

    @teardown
    def close_session() -> None:
        """Close it."""
        end_session()

    @task
    def publish_count(count: int) -> str:
        """Show it."""
        return show_on_board(count)

    opened = open_session()
    flaky = PythonOperator(
        task_id="sometimes_fails",
        python_callable=ask,
        retries=3,
        retry_delay=timedelta(seconds=60),
        retry_exponential_backoff=2,
        max_retry_delay=timedelta(seconds=180),
    )
    published = publish_count(flaky.output)
    closed = close_session()
    opened >> flaky >> published >> closed
    opened >> closed

    with TaskGroup("refunds"):
        read = PythonOperator(task_id="read_dropped_calls", python_callable=load_calls)
        priced = PythonOperator(task_id="price_refunds", python_callable=price)

        @task
        def report(ti: Any = None) -> str:
            """The sentence."""
            cents = ti.xcom_pull(task_ids="refunds.price_refunds")
            return f"Refunds: {sum(cents)} cents for {len(cents)} calls"

        read >> priced >> report()
