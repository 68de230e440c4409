"""The solutions of the course on the live stack: what they need, and what is started when.

A DAG that is switched on makes its last run by itself. Where that shows all there is to show, it is
not triggered as well: two processors have much to do already.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients import Airflow, eventually

from grader.course import load_course
from stack import ROOT

GPU, DEADLINE, REVENUE = "gpu_training", "training_with_deadline", "daily_revenue"
# What stands in a file beside the DAG that course.toml names.
OTHERS = {"train_on_features", "model_factory_shops", "model_factory_workshop"}
DAG_IDS = {part.dag_id for part in load_course().part} | OTHERS

# Parts 00 to 05, triggered as a person would. What a run needs to end well; the data of part 02 is
# years old by now, and that is a way, too.
TRIGGERED: dict[str, dict[str, Any]] = {
    "hello_airflow": {},
    "ml_training_pipeline": {},
    "data_quality_pipeline": {},
    "pipeline_metrics": {},
    "failure_test_pipeline": {"gateway": ["busy", 412]},
    "churn_report_pipeline": {},
}
# The lesson's slow night, a little faster, on which one training has to be tried again.
GPU_NIGHT = {"seconds_per_hour": 20, "mishaps": {"roaming": ["error"]}}
# Done at half past eight, so that a busy executor still finds time to tell of six o'clock.
LATE_NIGHT = {"collecting": 1, "training": [5.5]}
FAILED_NIGHT = {"training": ["the disk is full"]}

SHOPS = ROOT / "exercises" / "11_error_handling" / "data"
SHOPS_ADDRESS = "http://localhost:8011"
KEY = "heron-4711"


class Shops:
    """The lesson's own program that plays the three shops and the person on call."""

    def __init__(self, folder: Path):
        self._answers = folder / "tonight.json"
        self._output = folder / "output"

    def answer(self, **answers: list[str]) -> None:
        """From now on they answer this. It is written as a whole: they read it at any moment."""
        new = self._answers.with_suffix(".new")
        new.write_text(json.dumps(answers), "utf-8")
        new.replace(self._answers)

    @property
    def told(self) -> str:
        """What it has printed so far."""
        return self._output.read_text("utf-8")


@contextmanager
def open_shops(folder: Path) -> Iterator[Shops]:
    """Start the shops on a copy of their data."""
    shutil.copytree(SHOPS, folder)
    with (folder / "output").open("w") as out:
        process = subprocess.Popen([sys.executable, str(folder / "partner_shops.py")], stdout=out)
    try:
        yield Shops(folder)
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Nights:
    """What was started: DAG id to run id, and the two nights of part 07 that go wrong."""

    shops: Shops
    runs: dict[str, str]
    late: str
    failed: str


def begin(airflow: Airflow, shops: Shops) -> Nights:
    """Set up what the lessons tell to set up, and start all but part 09."""
    eventually(airflow.dag_ids, lambda ids: ids >= DAG_IDS, seconds=90)
    airflow.make_pool("gpu_pool", 2)
    airflow.make_connection("partner_shops", host=SHOPS_ADDRESS, password=KEY)
    airflow.make_connection("on_call", host=SHOPS_ADDRESS)

    now = dt.datetime.now(dt.UTC)  # as Airflow's page fills it in; parts 02 and 07 read it
    runs = {GPU: airflow.trigger(GPU, GPU_NIGHT, now.isoformat())}
    late = airflow.trigger(DEADLINE, LATE_NIGHT, now.isoformat())
    second = now + dt.timedelta(seconds=1)  # one run for each logical date
    failed = airflow.trigger(DEADLINE, FAILED_NIGHT, second.isoformat())
    # What follows fills the executor, and this night has to be over before it is five o'clock.
    airflow.wait(DEADLINE, failed)
    for dag_id, conf in TRIGGERED.items():
        runs[dag_id] = airflow.trigger(dag_id, conf, now.isoformat())
    for dag_id in sorted(DAG_IDS - TRIGGERED.keys() - {GPU, DEADLINE, REVENUE}):
        airflow.pause(dag_id, False)
    return Nights(shops, runs, late, failed)
