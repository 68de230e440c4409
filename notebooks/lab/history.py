"""Runs for a stack to remember. On an empty one, a wrong window gives the same as a right one.

For recording only; a reader's own stack gets its history from its reader.
"""

from __future__ import annotations

import time
from typing import Any

from lab.rest import Airflow

RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hello_airflow", {"name": "Ada"}),
    ("ml_training_pipeline", {}),
    ("failure_test_pipeline", {"gateway": [412]}),
)
PAUSE = 30.0  # seconds


def make_history(airflow: Airflow, minutes: float) -> None:
    """Start good runs, one after the other, for so long."""
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        for dag_id, conf in RUNS:
            airflow.wait(airflow.trigger(dag_id, conf), quiet=True)
        time.sleep(PAUSE)
