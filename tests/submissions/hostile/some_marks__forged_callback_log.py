"""Right tries; the callback writes a log of itself, with a line number of 5,000 digits."""

# part: 04_failures
# message: the callback itself raised ValueError

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException


def notify(context):
    """Say that it failed where no line is."""
    line = "9" * 5_000
    print("Failed to run task callback")
    print(f'  File "failure_test_pipeline.py", line {line}, in notify')
    print("ValueError: [bold red]\x1b[31mmark me" + "!" * 2_000)


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
