"""The course's own DAGs, solved, run in the stack as a learner would run them.

They end as they do in the grader. Parts 07 and 10 need a real scheduler and have their own files.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from contextlib import closing
from typing import Any

import duckdb
from clients import eventually
from conftest import TEMPORARY, Stack
from nights import DAG_IDS, KEY, REVENUE, TRIGGERED, Nights

from stack import ROOT

WORK = TEMPORARY / "heron"
SECONDS = 300  # the gateway of part 04 is busy once, and the task waits up to two minutes


def test_each_dag_is_known_and_no_other_one(solved: Stack, nights: Nights) -> None:
    assert solved.airflow.dag_ids() == DAG_IDS
    assert solved.airflow.get("/importErrors")["total_entries"] == 0


def test_parts_00_to_05_succeed(solved: Stack, nights: Nights) -> None:
    ended = {d: solved.airflow.wait(d, nights.runs[d], SECONDS)["state"] for d in TRIGGERED}
    assert ended == dict.fromkeys(TRIGGERED, "success")

    report = eventually(lambda: solved.inbox.about("shops@example.com"))
    assert report, "the report of part 05 is not in the inbox"
    metrics = solved.prometheus
    plans = eventually(lambda: metrics.query("airflow_heron_callers_at_risk"))
    assert {series["metric"]["plan"] for series in plans}
    assert eventually(lambda: metrics.query("airflow_heron_scoring_time_count"))
    assert metrics.value("statsd_exporter_events_unmapped_total") == 0


def test_part_06_publishes_the_good_days_and_is_paused_after_three_bad_ones(
    solved: Stack, nights: Nights
) -> None:
    airflow = solved.airflow
    # The third day has bad rows. There are files for five days, and three red days are the limit.
    wanted = ["success"] * 2 + ["failed"] + ["success"] * 2 + ["failed"] * 3
    runs = airflow.automatic("feature_pipeline", len(wanted), SECONDS)
    assert [run["state"] for run in runs] == wanted
    eventually(lambda: airflow.get("/dags/feature_pipeline")["is_paused"])

    good = {"2026-03-02", "2026-03-03", "2026-03-05", "2026-03-06"}  # their event times: the ends
    store = eventually(read_store, lambda days: days["published"] == good)
    assert store["trained on"] <= good
    assert store["trained on"], "no label met a feature"


def test_part_06_trains_on_what_was_published(solved: Stack, nights: Nights) -> None:
    airflow = solved.airflow

    def days() -> list[str]:
        """The event times that started runs, of all runs."""
        runs = airflow.automatic("train_on_features", 1, SECONDS)
        assert {run["state"] for run in runs} == {"success"}
        results = [returned(airflow, run["dag_run_id"]) for run in runs]
        return sorted(day[:10] for result in results for day in result["event_times"])

    eventually(days, lambda d: d == ["2026-03-02", "2026-03-03", "2026-03-05", "2026-03-06"])


def returned(airflow: Any, run_id: str) -> dict[str, Any]:
    """What `build_training_set` returned in a run."""
    path = f"/dags/train_on_features/dagRuns/{run_id}/taskInstances/build_training_set"
    value = airflow.get(f"{path}/xcomEntries/return_value")["value"]
    return dict(json.loads(value) if isinstance(value, str) else value)


def read_store() -> dict[str, set[str]]:
    """The days in the feature store. Its file lets in one process at a time."""
    try:
        with duckdb.connect(WORK / "feature_pipeline" / "features.duckdb", read_only=True) as store:
            store.execute("SET TimeZone = 'UTC'")
            tables = {"published": "published_features", "trained on": "training_set"}
            query = "SELECT DISTINCT strftime(event_time, '%Y-%m-%d') FROM "
            return {
                name: {day for (day,) in store.execute(query + table).fetchall()}
                for name, table in tables.items()
            }
    except duckdb.Error:
        return {"published": set(), "trained on": set()}


def test_part_08_deploys_a_model_for_each_who_has_a_list(solved: Stack, nights: Nights) -> None:
    for dag_id in sorted(d for d in DAG_IDS if d.startswith("model_factory")):
        (run, *_) = solved.airflow.automatic(dag_id, 1, SECONDS)
        assert run["state"] == "success"
        assert (WORK / "model_factory" / f"{dag_id}.json").is_file()
    deployed = json.loads((WORK / "model_factory" / "model_factory.json").read_text())
    assert deployed == {"model": "efficientnet", "score": 101}  # as the lesson says


def test_part_11_publishes_all_or_nothing_and_alerts(solved: Stack, nights: Nights) -> None:
    airflow, dag_id = solved.airflow, "resilient_ingest"
    orders = WORK / dag_id / "orders.jsonl"
    (good, *_) = airflow.automatic(dag_id, 1, SECONDS)
    assert good["state"] == "success"
    fetched = [s for t, s in airflow.instances(dag_id, good["dag_run_id"]) if t == "fetch_orders"]
    assert fetched == ["skipped", "success", "success"]
    assert len(orders.read_text().splitlines()) == 8
    assert "ALERT" not in nights.shops.told  # a busy shop is no reason to call somebody

    before = orders.stat()
    nights.shops.answer(harbour=["harbour.json"], market=["418"], mill=["rebuilding.html"])
    bad = airflow.trigger(dag_id, logical_date=dt.datetime.now(dt.UTC).isoformat())
    assert airflow.wait(dag_id, bad)["state"] == "failed"
    assert dict(airflow.instances(dag_id, bad))["remove_staging"] == "success"
    assert orders.stat() == before
    assert list((WORK / dag_id / "staging").iterdir()) == []
    told = eventually(lambda: nights.shops.told, lambda text: text.count("ALERT") == 2)
    assert "error: RuntimeError: http://localhost:8011/orders/market?night=" in told
    assert "error: NotOrders: mill sent no list of orders" in told
    assert KEY not in told
    assert "key=***" in told
    path = f"/dags/{dag_id}/dagRuns/{bad}/taskInstances/fetch_orders/logs/1?map_index=1"
    log = str(airflow.get(path))
    assert "answered 418" in log
    assert KEY not in log


def test_part_09_books_each_day_once(solved: Stack, nights: Nights) -> None:
    """Switched on last, because it starts fourteen runs in one moment."""
    solved.airflow.pause(REVENUE, False)
    runs = solved.airflow.automatic(REVENUE, 14, SECONDS)
    assert [run["state"] for run in runs] == ["success"] * 14
    with closing(sqlite3.connect(WORK / REVENUE / "ledger.db")) as ledger:
        rows = ledger.execute("SELECT day, shop, cents FROM revenue ORDER BY day, shop").fetchall()
    assert len(rows) == len({(day, shop) for day, shop, _ in rows})
    assert {day for day, *_ in rows} == {f"2024-03-{day:02}" for day in range(1, 15)}
    with (ROOT / "exercises" / "09_idempotency" / "data" / "sales.csv").open() as file:
        assert {shop for _, shop, _ in rows} == {sale["shop"] for sale in csv.DictReader(file)}
    assert [row for row in rows if row[0] == "2024-03-05"] == [  # as the lesson says
        ("2024-03-05", "Harbour Street", 5990),
        ("2024-03-05", "Mill Lane", 6999),
        ("2024-03-05", "Old Market", 7988),
        ("2024-03-05", "Station West", 3489),
    ]
