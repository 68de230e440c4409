"""Right tries; the notes are deep, long, coloured, and of half a character."""

# part: 04_failures
# message: The events in the notes

import json
import pathlib
import tempfile
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException


NASTY = "\ud800[bold red]\x1b[31m\u202e"


def notify(context):
    """Write lines that are JSON, and little else."""
    notes = pathlib.Path(tempfile.gettempdir(), "heron/failure_test_pipeline/on_call.jsonl")
    notes.parent.mkdir(parents=True, exist_ok=True)
    with notes.open("a") as file:
        file.write("[" * 100_000 + "\n")
        file.write('{"event": ' + "9" * 5_000 + "}\n")
        file.write('{"event": ' + "[" * 900 + "]" * 900 + "}\n")
        for number in range(2_000):
            file.write(json.dumps({"event": f"{NASTY}{number}"}) + "\n")


@dag(
    dag_id="failure_test_pipeline",
    schedule=None,
    params={"gateway": [1], "board": "on"},
    default_args={"on_retry_callback": notify, "on_failure_callback": notify},
)
def failure_test_pipeline():
    """The question to the gateway, and what comes of it."""

    @task(
        retries=3,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        max_retry_delay=timedelta(minutes=3),
    )
    def sometimes_fails(params, ti):
        """Ask four times at most, and once if the gateway says no."""
        answers = params["gateway"]
        answer = answers[min(ti.try_number, len(answers)) - 1]
        if answer == "refused":
            raise AirflowFailException("refused")
        return int(answer)

    @task
    def publish_count(count):
        """Tell nobody."""

    publish_count(sometimes_fails())


failure_test_pipeline()
