"""Several runs in one scenario: each begins at its logical date, in the same scratch folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from probing import DAY, Probe, Seen, about, ran, source

from grader.judge.view import moment

DATES = source(
    """
    @task
    def now(logical_date, ti):
        before = Path("seen").read_text() if Path("seen").exists() else "nothing"
        Path("seen").write_text(str(logical_date))
        return [logical_date.isoformat(), datetime.now(UTC).isoformat(), time.time(), before]

    now()
    """,
    before="from pathlib import Path\n\nLOADED = datetime.now(UTC)\nprint(LOADED.isoformat())\n",
)
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = (DAY, DAY + timedelta(hours=1), datetime(2025, 2, 28, 23, tzinfo=UTC))
PROBES = {
    "dates": Probe(DATES, (ran("three", *DAYS), ran("early", DAY, now=NEW_YEAR))),
}


def test_each_run_begins_at_its_logical_date(seen: Seen) -> None:
    runs = seen("dates", "three").runs
    assert [moment(r.logical_date) for r in runs] == list(DAYS)
    for run, day in zip(runs, DAYS, strict=True):
        (only,) = run.tries
        logical, now, seconds, _ = only.xcoms["return_value"].json_value
        assert moment(logical) == day
        assert about(moment(now) - day), now
        assert abs(moment(now).timestamp() - seconds) < 1
        assert about(moment(only.start) - day)
        assert run.state == "success"


def test_runs_of_a_scenario_share_the_scratch_folder(seen: Seen) -> None:
    runs = seen("dates", "three").runs
    found = [run.tries[0].xcoms["return_value"].json_value[3] for run in runs]
    assert found[0] == "nothing"
    assert [moment(text) for text in found[1:]] == list(DAYS[:2])
    assert [f.path for f in seen("dates", "three").files] == ["seen"]


def test_the_file_may_be_loaded_before_the_first_run(seen: Seen) -> None:
    at_run = moment(seen("dates", "three").load_output.strip())
    before = moment(seen("dates", "early").load_output.strip())
    assert about(at_run - DAY)
    assert about(before - NEW_YEAR)
    assert about(moment(seen.run("dates", "early").tries[0].start) - DAY)
