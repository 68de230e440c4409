"""Who is observed, in which order, from where, and who is blamed. The worker here is a fake."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from probing import DAY, Notes, loaded, part_of, ran, write

from grader.observe import cache, observer
from grader.observe.cache import Cache
from grader.observe.observer import Key, Observer
from grader.observe.sandbox import Lock
from grader.observe.worker_client import WorkerDied
from grader.scenario import Limits, Scenario
from grader.transcript import Breach, DagFacts, Error, Transcript
from grader.worker.job import Job, Reply

TEXT = "from airflow.sdk import DAG\n"
FACTS = DagFacts(dag_id="probe", next_runs=[], catchup=False, tags=[], params={}, tasks=[])


class FakeWorker:
    """Answers each job at once. `answers` and `deadly` go by the scenario's name."""

    answers: ClassVar[dict[str, dict[str, object]]]
    deadly: ClassVar[set[str]]
    started: ClassVar[list[FakeWorker]]
    jobs: ClassVar[list[Job]]
    most: ClassVar[int]

    def __init__(self, home: Path, lock: Lock):
        self.timings = {"import": 1.0}
        self.running = True
        self._waiting: list[Job] = []
        FakeWorker.started.append(self)

    def wait_until_ready(self) -> None: ...

    def submit(self, job: Job) -> None:
        if not self.running:
            raise WorkerDied
        assert (job.folder / "part" / job.dag_file).read_text() == TEXT
        FakeWorker.jobs.append(job)
        self._waiting.append(job)
        FakeWorker.most = max(FakeWorker.most, len(self._waiting))

    def next_news(self, timeout: float) -> Reply:
        if any(job.scenario.name in FakeWorker.deadly for job in self._waiting):
            self.running = False
            raise WorkerDied
        job = self._waiting.pop(0)
        facts = {"dag": FACTS, **FakeWorker.answers.get(job.scenario.name, {})}
        return Reply(id=job.id, transcript=Transcript(scenario=job.scenario.name, **facts))

    def stop(self) -> None:
        self.running = False


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeWorker]:
    """No process is started."""
    monkeypatch.setattr(observer, "WorkerClient", FakeWorker)
    FakeWorker.answers, FakeWorker.deadly = {}, set()
    FakeWorker.started, FakeWorker.jobs, FakeWorker.most = [], [], 0
    return FakeWorker


class Bench:
    """One part, handed in; each call is a new observer over the same folders."""

    def __init__(self, folder: Path):
        self.home, self.exercises = folder / "home", folder / "exercises"
        self.submission, self.notes = folder / "submission", Notes()
        self.part, self.limits, self.cached = part_of("probe"), None, True
        write(self.submission, "probe", TEXT)
        (self.exercises / "90_probe" / "data").mkdir(parents=True)
        self.data = self.exercises / "90_probe" / "data" / "rows.csv"
        self.data.write_text("a\n1\n")

    def make(self, jobs: int = 2) -> Observer:
        return Observer(
            self.home, self.exercises, jobs=jobs, cache=self.cached, listener=self.notes
        )

    def __call__(self, *scenarios: Scenario, jobs: int = 2) -> dict[Key, Transcript]:
        FakeWorker.jobs.clear()
        wanted = [(self.part, scenarios or (ran(),))]
        return self.make(jobs).observe(self.submission, wanted, self.limits)

    @property
    def asked(self) -> list[str]:
        """The scenarios that the last call had to run."""
        return [job.scenario.name for job in FakeWorker.jobs]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_second_time_no_worker_is_started(bench: Bench, fake: type[FakeWorker]) -> None:
    first = bench(ran("a"), ran("b"))
    assert (sorted(bench.asked), len(fake.started)) == (["a", "b"], 1)
    second = bench(ran("a"), ran("b"))
    assert (bench.asked, len(fake.started)) == ([], 1)
    assert {k: t.model_dump() for k, t in second.items()} == {
        k: t.model_dump() for k, t in first.items()
    }
    assert [cached for *_, cached in bench.notes.ended] == [False, False, True, True]


def test_without_a_cache_everything_is_run_again(bench: Bench) -> None:
    bench.cached = False
    bench()
    bench()
    assert bench.asked == ["run"]
    assert not (bench.home / "cache").exists()


CHANGES: dict[str, Callable[[Bench, pytest.MonkeyPatch], object]] = {
    "the data of the course": lambda b, p: b.data.write_text("a\n2\n"),
    "a new file of the course": lambda b, p: b.data.with_name("more.csv").write_text(""),
    "the limits": lambda b, p: setattr(b, "limits", Limits(seconds=29)),
    "the dag_id": lambda b, p: setattr(b, "part", b.part.model_copy(update={"dag_id": "other"})),
    "the engine": lambda b, p: p.setattr(cache, "engine_hash", lambda: "another"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench()
    CHANGES[change](bench, monkeypatch)
    bench()
    assert bench.asked == ["run"]
    bench()
    assert bench.asked == []


def test_a_change_of_the_file_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench()
    changed = TEXT + "#"
    write(bench.submission, "probe", changed)
    monkeypatch.setitem(globals(), "TEXT", changed)
    bench()
    assert bench.asked == ["run"]


@pytest.mark.parametrize(
    "other",
    [
        ran("run", DAY.replace(hour=3)),
        ran("run", conf={"a": 1}),
        ran("run", files={"data/rows.csv": "b\n"}),
        ran("run", servers=("http",)),
        ran("run", now=DAY.replace(hour=3)),
    ],
)
def test_a_change_of_the_scenario_is_seen(other: Scenario, bench: Bench) -> None:
    bench()
    bench(other)
    assert bench.asked == ["run"]
    bench(ran(), other)
    assert bench.asked == []


def test_what_cannot_change_anything_is_no_change(bench: Bench) -> None:
    bench()
    junk = bench.exercises / "90_probe" / "__pycache__" / "probe.pyc"
    junk.parent.mkdir()
    junk.write_bytes(b"x")
    (bench.submission / "90_probe" / "notes.txt").write_text("mine")
    bench()
    assert bench.asked == []


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00\xff", b'{"version": 2}', None])
def test_a_damaged_transcript_is_made_again(damage: bytes | None, bench: Bench) -> None:
    bench()
    (kept,) = (bench.home / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9] if damage is None else damage)
    bench()
    assert bench.asked == ["run"]
    bench()
    assert bench.asked == []


@pytest.mark.parametrize(
    ("limit", "stays"),
    [("seconds", False), ("memory", False), ("exit", False), ("files", False), ("tasks", True)],
)
def test_moods_of_the_machine_are_not_kept(
    limit: str, stays: bool, bench: Bench, fake: type[FakeWorker]
) -> None:
    fake.answers["run"] = {"breach": Breach(limit=limit, detail="x", phase="run")}
    bench()
    bench()
    assert (bench.asked == []) is stays
    assert not list((bench.home / "cache").glob("*.part"))


def test_the_engines_sources_are_part_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "engine"
    shutil.copytree(cache.ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "ENGINE", copy)
    found = []
    for change in ("worker/clock.py", "observe/servers.py", "scenario.py", "judge/view.py", None):
        cache.engine_hash.cache_clear()
        found.append(cache.engine_hash())
        if change:
            (copy / change).write_text((copy / change).read_text() + "#\n")
    cache.engine_hash.cache_clear()
    assert len(set(found)) == 4, "judging changes no transcript, all else does"
    assert found[3] == found[4]


def test_two_writers_do_not_harm_each_other(tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache")
    transcript = Transcript(scenario="x", load_output="y" * 100_000)
    threads = [threading.Thread(target=store.put, args=("key", transcript)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("key") == transcript
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["key.json"]


def test_the_longest_goes_first(bench: Bench) -> None:
    long, short = ran("long", *[DAY.replace(hour=h) for h in range(3)]), ran("short")
    bench(short, long, loaded("load"), jobs=1)
    assert bench.asked == ["long", "short", "load"]


def test_no_more_at_a_time_than_allowed(bench: Bench, fake: type[FakeWorker]) -> None:
    bench(*[ran(f"s{n}") for n in range(7)], jobs=3)
    assert fake.most == 3
    assert len(bench.asked) == 7


def test_a_file_that_hangs_is_loaded_once(bench: Bench, fake: type[FakeWorker]) -> None:
    """The other scenarios would only hit the same limit, at the same cost."""
    names = [f"s{n}" for n in range(5)]
    breach = Breach(limit="seconds", detail="x", phase="load")
    fake.answers = {name: {"dag": None, "breach": breach} for name in names}
    found = bench(*map(ran, names), jobs=1)
    assert len(bench.asked) == 1
    assert [found["90_probe", n].scenario for n in names] == names
    assert all(t.breach == breach for t in found.values())


def test_an_import_error_may_be_one_scenarios_own(bench: Bench, fake: type[FakeWorker]) -> None:
    """Files and clock differ between scenarios, and loading is cheap."""
    fake.answers["s0"] = {"dag": None, "import_error": Error(type="ValueError", message="no")}
    found = bench(ran("s0"), ran("s1"), jobs=1)
    assert len(bench.asked) == 2
    assert found["90_probe", "s0"].import_error and found["90_probe", "s1"].dag


def test_a_breach_in_a_run_does_not_stop_the_part(bench: Bench, fake: type[FakeWorker]) -> None:
    fake.answers["s0"] = {"breach": Breach(limit="seconds", detail="x", phase="run")}
    found = bench(ran("s0"), ran("s1"), ran("s2"))
    assert len(bench.asked) == 3
    assert [found["90_probe", f"s{n}"].breach is None for n in range(3)] == [False, True, True]


def test_the_killer_among_neighbours_is_found(bench: Bench, fake: type[FakeWorker]) -> None:
    """All that ran beside it is tried again alone; only who does it alone is blamed."""
    fake.deadly = {"kills"}
    innocent = part_of("other")
    write(bench.submission, "other", TEXT)
    wanted = [
        (innocent, (ran("a"), ran("b"), ran("c"))),
        (bench.part, (ran("kills"), ran("again"))),
    ]
    found = bench.make(jobs=5).observe(bench.submission, wanted)
    assert len(found) == 5
    for name in ("kills", "again"):
        breach = found["90_probe", name].breach
        assert breach is not None
        assert (breach.limit, breach.detail) == ("exit", "it ended the grader's own worker")
    assert [found["90_other", name].breach for name in "abc"] == [None] * 3
    assert not list((bench.home / "run").iterdir())


def test_nobody_is_blamed_for_a_worker_that_died_idle(bench: Bench, fake: type[FakeWorker]) -> None:
    seeing = bench.make()
    seeing.observe(bench.submission, [(bench.part, (ran("a"),))])
    fake.started[0].running = False
    found = seeing.observe(bench.submission, [(bench.part, (ran("b"),))])
    assert found["90_probe", "b"].breach is None
    assert len(fake.started) == 2
