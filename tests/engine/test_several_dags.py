"""A file with several DAGs: those that are planned run, and those that an asset starts."""

from __future__ import annotations

from datetime import timedelta

from probing import DAY, Probe, Seen, loaded

from grader.scenario import PlannedRun, Scenario

TEXT = """\
from datetime import timedelta
from airflow.sdk import Asset, Metadata, dag, task

MILK, EGGS = Asset("milk"), Asset("eggs")


@dag(dag_id="probe", schedule=None)
def probe():
    @task(outlets=[MILK])
    def fetch(**context):
        if context["dag_run"].conf.get("sour"):
            raise ValueError("sour")
        yield Metadata(MILK, {"litres": 3})

    fetch()


@dag(schedule=None)
def hens():
    @task(outlets=[EGGS])
    def collect(): ...

    collect()


@dag(schedule=[MILK])
def cheese():
    @task
    def press(triggering_asset_events=None, logical_date=None):
        events = [e for found in triggering_asset_events.values() for e in found]
        return {"litres": [e.extra["litres"] for e in events], "date": logical_date}

    press()


@dag(schedule=(MILK & EGGS))
def cake():
    @task(outlets=[Asset("cake")])
    def bake(triggering_asset_events=None):
        return sorted(asset.name for asset in triggering_asset_events)

    bake()


probe(), hens(), cheese(), cake()
"""
LOOP = TEXT.replace("outlets=[EGGS]", "outlets=[EGGS, MILK]").replace(
    "@dag(schedule=None)\ndef hens", "@dag(schedule=[MILK])\ndef hens"
)


def planned(*days: tuple[int, str | None], conf: dict[str, bool] | None = None) -> Scenario:
    """A run for each day after the first and DAG."""
    return Scenario(
        name="run",
        runs=tuple(
            PlannedRun(logical_date=DAY + timedelta(days=d), dag_id=dag_id, conf=conf or {})
            for d, dag_id in days
        ),
    )


PROBES = {
    "facts": Probe(TEXT, (loaded(),), several_dags=True),
    "one": Probe(TEXT, (planned((0, None)),), several_dags=True),
    "sour": Probe(TEXT, (planned((0, None), conf={"sour": True}),), several_dags=True),
    "both": Probe(TEXT, (planned((0, None), (1, "hens"), (2, None)),), several_dags=True),
    "unknown": Probe(TEXT, (planned((0, "ducks")),), several_dags=True),
    "loop": Probe(LOOP, (planned((0, None)),), several_dags=True),
    "too_many": Probe(TEXT, (planned((0, None)),)),
}


def test_all_dags_are_described(seen: Seen) -> None:
    transcript = seen("facts")
    assert transcript.dag_ids == ["cake", "cheese", "hens", "probe"]
    assert transcript.dag is not None and transcript.dag.dag_id == "probe"
    assert {d.dag_id: d.assets for d in transcript.others} == {
        "cake": ["eggs", "milk"],
        "cheese": ["milk"],
        "hens": [],
    }
    assert transcript.dag.tasks[0].outlets == ["milk"]


def test_an_updated_asset_starts_who_waits_for_it(seen: Seen) -> None:
    runs = seen("one").runs
    assert [(r.dag_id, r.cause, r.state) for r in runs] == [
        ("probe", "planned", "success"),
        ("cheese", "asset", "success"),
    ]
    (event,) = runs[0].asset_events
    assert (event.asset, event.task_id, event.extra.json_value) == ("milk", "fetch", {"litres": 3})
    assert runs[1].logical_date is None
    value = runs[1].tries[0].xcoms["return_value"].json_value
    assert value == {"litres": [3], "date": None}


def test_a_failed_task_updates_nothing(seen: Seen) -> None:
    (run,) = seen("sour").runs
    assert (run.state, run.asset_events) == ("failed", [])


def test_a_dag_that_waits_for_two_assets_gets_each_update_once(seen: Seen) -> None:
    runs = seen("both").runs
    assert [r.dag_id for r in runs] == ["probe", "cheese", "hens", "cake", "probe", "cheese"]
    assert runs[3].tries[0].xcoms["return_value"].json_value == ["eggs", "milk"]
    assert [e.asset for e in runs[3].asset_events] == ["cake"]
    assert runs[5].tries[0].xcoms["return_value"].json_value["litres"] == [3]


def test_a_dag_that_is_not_there_does_not_run(seen: Seen) -> None:
    transcript = seen("unknown")
    assert transcript.runs == [] and transcript.breach is None


def test_dags_that_start_each_other_come_to_an_end(seen: Seen) -> None:
    transcript = seen("loop")
    assert transcript.breach is None
    assert 10 < len(transcript.runs) <= 21


def test_where_one_dag_is_wanted_several_do_not_run(seen: Seen) -> None:
    transcript = seen("too_many")
    assert len(transcript.dag_ids) == 4 and transcript.runs == []
