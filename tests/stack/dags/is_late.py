"""A run that is not done by its deadline."""

import time
from datetime import timedelta

from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback, dag, task


def tell(text: str, **context: object) -> None:
    """What is called when the deadline is missed."""
    print(text)


@dag(
    schedule=None,
    tags=["stack"],
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=2),
        callback=SyncCallback(tell, kwargs={"text": "the model is late"}),
    ),
)
def is_late():
    @task
    def train() -> None:
        time.sleep(12)

    train()


is_late()
