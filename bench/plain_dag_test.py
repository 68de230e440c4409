"""What a course without a grader would run: pytest, `DagBag`, `dag.test()`, real time.

Started by `bench.plain` in a process of its own; not collected by `make test`. It must stay plain.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.dagbundle import DagBundleModel
from airflow.utils.session import create_session

STORIES = json.loads(Path(os.environ["BENCH_STORIES"]).read_text("utf-8"))
SECONDS: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def note_seconds() -> Iterator[None]:
    """Hand over how long each scenario took."""
    yield
    Path(os.environ["BENCH_SECONDS"]).write_text(json.dumps(SECONDS), "utf-8")


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s["scenario"])
def test_runs_end_as_they_should(story: dict[str, Any], request: pytest.FixtureRequest) -> None:
    """Load the file, run it for each date, look at the state."""
    started = time.perf_counter()
    folder = Path(story["folder"]) / "part"
    bag = DagBag(str(folder / story["dag_file"]))
    assert not bag.import_errors
    dag = bag.dags[story["dag_id"]]
    with create_session() as session:
        session.merge(DagBundleModel(name="plain"))
    known = DagBag(str(folder), bundle_path=folder, bundle_name="plain", collect_dags=False)
    known.dags = {dag.dag_id: dag}
    sync_bag_to_db(known, "plain", None)
    ended = [
        dag.test(logical_date=datetime.fromisoformat(run["logical_date"]), run_conf=run["conf"])
        for run in story["runs"]
    ]
    assert [run.state for run in ended] == [run["state"] for run in story["runs"]]
    SECONDS[request.node.name] = time.perf_counter() - started
