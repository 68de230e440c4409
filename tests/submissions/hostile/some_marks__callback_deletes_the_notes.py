"""Right tries; the callback removes the notes, and all else in the scenario's folder."""

# part: 04_failures
# message: there are no notes

import pathlib
import shutil
import tempfile
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException


def notify(context):
    """Write a note, then take away the place in which it lies."""
    work = pathlib.Path(tempfile.gettempdir())
    notes = work / "heron/failure_test_pipeline/on_call.jsonl"
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text('{"event": "retry"}')
    for path in work.parent.rglob("*.jsonl"):
        path.unlink()
    shutil.rmtree(work, ignore_errors=True)


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
