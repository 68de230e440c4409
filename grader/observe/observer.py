"""Takes submissions through scenarios: from the cache where nothing changed, else in the worker,
on all cores, longest first.

It must not know what a check expects. A file that hits a limit while it loads does so once per
part, not once per scenario.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grader.course import Part
from grader.observe.cache import Cache, files_hash
from grader.observe.sandbox import Lock, no_sandbox
from grader.observe.servers import Servers
from grader.observe.staging import lay_out, read_source
from grader.observe.worker_client import WorkerClient, WorkerDied
from grader.scenario import Limits, Scenario
from grader.transcript import Breach, Transcript
from grader.worker.job import Job, Opened

Key = tuple[str, str]
PATIENCE = 60.0


class Listener(Protocol):
    """Who wants to know how far it is."""

    def stage(self, text: str) -> None: ...
    def expect(self, count: int) -> None: ...
    def started(self, part: str, scenario: str) -> None: ...
    def finished(self, part: str, scenario: str, seconds: float, cached: bool) -> None: ...


@dataclass
class Pending:
    """A scenario that has to be run."""

    part: Part
    scenario: Scenario
    limits: Limits
    source: bytes
    cache_key: str
    folder: Path = Path()
    servers: Servers | None = None
    started: float = 0.0

    @property
    def key(self) -> Key:
        return self.part.slug, self.scenario.name


@dataclass
class Round:
    """One call of `Observer.observe`."""

    results: dict[Key, Transcript] = field(default_factory=dict)
    waiting: list[Pending] = field(default_factory=list)
    running: dict[int, Pending] = field(default_factory=dict)
    stopped: dict[str, Transcript] = field(default_factory=dict)
    suspects: list[Pending] = field(default_factory=list)


class Observer:
    """Owns the worker, the cache and the folder `home` in which everything is written."""

    def __init__(
        self,
        home: Path,
        exercises: Path,
        *,
        jobs: int,
        cache: bool,
        listener: Listener,
        lock: Lock = no_sandbox,
    ):
        self._home, self._exercises, self._jobs, self._lock = home, exercises, jobs, lock
        self._cache = Cache(home / "cache" if cache else None)
        self._listener = listener
        self._worker: WorkerClient | None = None
        self._next_id = 0
        self._durations = Durations(home / "durations.json")
        self.timings: dict[str, float] = {}

    def observe(
        self,
        submission: Path,
        wanted: Sequence[tuple[Part, Sequence[Scenario]]],
        limits: Limits | None = None,
    ) -> dict[Key, Transcript]:
        """One transcript per part and scenario. Raises `EnvironmentProblem`."""
        state = Round()
        self._listener.expect(sum(len(scenarios) for _, scenarios in wanted))
        for part, scenarios in wanted:
            self._prepare(state, submission, part, scenarios, limits or part.limits)
        if state.waiting:
            self._run_all(state)
        return state.results

    def _prepare(
        self,
        state: Round,
        submission: Path,
        part: Part,
        scenarios: Sequence[Scenario],
        limits: Limits,
    ) -> None:
        source = read_source(submission, part)
        for scenario in scenarios:
            if source.data is None:
                transcript = Transcript(scenario=scenario.name, import_error=source.refusal)
                self._finish(state, (part.slug, scenario.name), transcript)
                continue
            files = files_hash(self._exercises / part.slug, source.data)
            key = self._cache.key(files, part, scenario, limits)
            kept = self._cache.get(key)
            if kept is not None:
                self._finish(state, (part.slug, scenario.name), kept, cached=True)
            else:
                state.waiting.append(Pending(part, scenario, limits, source.data, key))

    def warm_up(self) -> None:
        """Have the worker load Airflow, if it has not. Raises `EnvironmentProblem`."""
        started = time.perf_counter()
        if self._worker is not None and not self._worker.running:
            self.stop()  # it died while idle, and nobody is to blame
        self._worker_ready()
        self.timings["wait for the worker"] = time.perf_counter() - started

    @property
    def warm(self) -> bool:
        """Whether there is a worker that has loaded Airflow."""
        return self._worker is not None and bool(self._worker.timings)

    def _run_all(self, state: Round) -> None:
        self.warm_up()
        state.waiting.sort(key=lambda p: self._durations.get(p.key, len(p.scenario.runs)))
        try:
            while state.waiting or state.running or state.suspects:
                try:
                    self._step(state, self._worker_ready())
                except WorkerDied:
                    self._worker_died(state)
        finally:
            if state.running:  # an exception: nobody will take what the worker still has to say
                self.stop()
            for pending in state.running.values():
                self._clean_up(pending)
            self._durations.save()

    def _worker_ready(self) -> WorkerClient:
        if self._worker is None:
            self._listener.stage("Loading Airflow")
            self._worker = WorkerClient(self._home, self._lock)
        self._worker.wait_until_ready()
        self.timings |= {f"worker: {k}": v for k, v in self._worker.timings.items()}
        return self._worker

    def _step(self, state: Round, worker: WorkerClient) -> None:
        alone = bool(state.suspects)
        queue = state.suspects if alone else state.waiting
        while queue and len(state.running) < (1 if alone else self._jobs):
            pending = queue.pop()
            if pending.part.slug in state.stopped:
                stopped = state.stopped[pending.part.slug]
                copy = stopped.model_copy(update={"scenario": pending.scenario.name})
                self._finish(state, pending.key, copy)
                continue
            self._start(state, worker, pending)
        if not state.running:
            return
        longest = max(p.limits.seconds for p in state.running.values())
        news = worker.next_news(longest + PATIENCE)
        if isinstance(news, Opened):
            pending = state.running[news.id]
            pending.servers = Servers(pending.scenario, worker.sockets_of(news))
        else:
            self._take(state, state.running.pop(news.id), news.transcript)

    def _start(self, state: Round, worker: WorkerClient, pending: Pending) -> None:
        runs = self._home / "run"
        runs.mkdir(parents=True, exist_ok=True)
        pending.folder = Path(tempfile.mkdtemp(dir=runs))
        lay_out(pending.folder, self._exercises, pending.part, pending.source, pending.scenario)
        pending.started = time.perf_counter()
        self._next_id += 1
        state.running[self._next_id] = pending
        self._listener.started(*pending.key)
        worker.submit(
            Job(
                id=self._next_id,
                folder=pending.folder,
                dag_file=pending.part.dag_file,
                dag_id=pending.part.dag_id,
                several_dags=pending.part.several_dags,
                scenario=pending.scenario,
                limits=pending.limits,
            )
        )

    def _take(self, state: Round, pending: Pending, transcript: Transcript) -> None:
        got = self._clean_up(pending)
        transcript = transcript.model_copy(update=got)
        seconds = time.perf_counter() - pending.started
        self._durations.note(pending.key, seconds)
        self._cache.put(pending.cache_key, transcript)
        if hangs_at_load(transcript):
            state.stopped[pending.part.slug] = transcript
        name = f"scenario: {pending.part.slug} / {pending.scenario.name}"
        self.timings[name] = seconds
        self._finish(state, pending.key, transcript, seconds=seconds)

    def _worker_died(self, state: Round) -> None:
        """Try what it was doing again, one at a time; who kills it alone has earned the blame."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        running = list(state.running.values())
        state.running.clear()
        for pending in running:
            self._clean_up(pending)
        if len(running) > 1:
            state.suspects.extend(running)
            return
        for pending in running:
            breach = Breach(limit="exit", detail="it ended the grader's own worker", phase="run")
            transcript = Transcript(scenario=pending.scenario.name, breach=breach)
            state.stopped[pending.part.slug] = transcript
            self._finish(state, pending.key, transcript)

    def _finish(
        self,
        state: Round,
        key: Key,
        transcript: Transcript,
        *,
        seconds: float = 0.0,
        cached: bool = False,
    ) -> None:
        state.results[key] = transcript
        self._listener.finished(*key, seconds, cached)

    @staticmethod
    def _clean_up(pending: Pending) -> dict[str, list[object]]:
        got = pending.servers.stop() if pending.servers else {}
        remove(pending.folder)
        return got

    def stop(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, however deep that is."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)


def hangs_at_load(transcript: Transcript) -> bool:
    """Whether the other scenarios of the part would only hit the same limit, at the same cost."""
    return transcript.breach is not None and transcript.breach.phase == "load"


class Durations:
    """How long each scenario took the last time, to start the longest first."""

    def __init__(self, path: Path):
        self._path = path
        try:
            known = json.loads(path.read_text("utf-8"))
            self._seconds = {str(k): float(v) for k, v in known.items()}
        except (OSError, ValueError, AttributeError):
            self._seconds = {}

    def get(self, key: Key, default: float) -> float:
        return self._seconds.get("/".join(key), default)

    def note(self, key: Key, seconds: float) -> None:
        self._seconds["/".join(key)] = round(seconds, 2)

    def save(self) -> None:
        part = self._path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(self._seconds, indent=1, sort_keys=True), "utf-8")
        os.replace(part, self._path)
