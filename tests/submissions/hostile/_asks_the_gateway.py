"""The end of the files that bring a `notify` of their own: a DAG of part 04 that tries as it should."""

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException


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
