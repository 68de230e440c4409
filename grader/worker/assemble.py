"""Puts the events of one scenario together into a transcript, as far as they came.

It runs in the keeper, reads only plain data and the scenario's folder, and judges nothing but
whether the account agrees with itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grader.transcript import (
    Breach,
    DagFacts,
    Error,
    File,
    Loading,
    Run,
    TaskInstance,
    Transcript,
    Try,
)
from grader.worker.events import ProtocolError
from grader.worker.folders import files_below
from grader.worker.job import Job, run_key

MAX_FILES = 200
MAX_TEXT = 64 * 1024
LEFT_BEHIND = ("files", "output", "memory", "processes")


class Assembler:
    """Takes events in order; `finish` gives the transcript at any moment."""

    def __init__(self, job: Job):
        self._job = job
        self._facts: dict[str, Any] = {}
        self._runs: dict[int, dict[str, Any]] = {}
        self._open: dict[str, Any] | None = None
        self._last: str | None = None
        self._breach: Breach | None = None
        self._given = {str(p) for p in (job.folder / "part").rglob("*") if p.is_file()}

    def take(self, event: dict[str, Any]) -> None:
        """Raises `ProtocolError` where an event does not fit what came before."""
        kind = event.pop("kind", None)
        try:
            getattr(self, f"_take_{kind}")(**event)
        except (AttributeError, TypeError, KeyError, IndexError, ValidationError) as error:
            raise ProtocolError("tampering", f"an event does not fit ({kind}: {error})") from error

    def breach(self, limit: str, detail: str) -> None:
        """Note the first limit that was hit, and where.

        What a task left too much of may be seen a moment after its end.
        """
        if self._breach is None:
            left_behind = self._last if limit in LEFT_BEHIND else None
            self._breach = Breach(
                limit=limit,  # type: ignore[arg-type]
                detail=detail,
                phase="run" if self._runs else "load",
                task_id=self._open["task_id"] if self._open else left_behind,
            )

    def finish(self, left: int, *, complete: bool) -> Transcript:
        """The transcript. `left` is how many processes had to be ended, `complete` whether all came
        to their end.
        """
        if not complete:
            self.breach("exit", "the process ended before the run did" if left == 0 else "stopped")
        runs = [self._run(self._runs[key]) for key in sorted(self._runs)]
        if complete and self._breach is None:
            self._check_consistency(runs)
        return Transcript(
            scenario=self._job.scenario.name,
            runs=runs,
            files=self._files(),
            breach=self._breach,
            **self._facts,
        )

    def _take_import_error(self, error: dict[str, Any]) -> None:
        self._facts["import_error"] = Error.model_validate(error)

    def _take_load_output(self, text: str) -> None:
        self._facts["load_output"] = text

    def _take_too_many_tasks(self, count: int) -> None:
        self.breach("tasks", f"{self._job.limits.tasks} tasks; the DAG has {count:,}")

    def _take_large_xcom(self, task_id: str, size: int) -> None:
        self._last = task_id
        self.breach("xcom", f"{self._job.limits.xcom_mib} MiB in one XCom ({size:,} characters)")

    def _take_loaded(
        self, dag_ids: list[str], dags: list[dict[str, Any]], slept: float, touched: list[str]
    ) -> None:
        found = [DagFacts.model_validate(dag) for dag in dags]
        self._facts["dag_ids"] = dag_ids
        self._facts["dag"] = next((d for d in found if d.dag_id == self._job.dag_id), None)
        self._facts["others"] = [d for d in found if d.dag_id != self._job.dag_id]
        self._facts["loading"] = Loading(slept=slept, touched=touched)

    def _take_run_started(self, run: int, **about: Any) -> None:
        if run in self._runs or about["dag_id"] not in self._facts.get("dag_ids", ()):
            raise ValueError("a run that cannot be")
        self._runs[run] = {**about, "tries": {}}

    def _take_try_started(self, run: int, **record: Any) -> None:
        self._open = record
        self._runs[run]["tries"][self._key(record)] = Try(**record)

    def _take_try_ended(self, run: int, record: dict[str, Any]) -> None:
        self._runs[run]["tries"][self._key(record)] = ended = Try.model_validate(record)
        self._open = record if ended.state == "deferred" else None
        self._last = ended.task_id

    def _take_run_ended(
        self, run: int, state: str, end: str | None, instances: list[dict[str, Any]]
    ) -> None:
        self._runs[run] |= {"state": state, "end": end}
        self._runs[run]["instances"] = [TaskInstance.model_validate(i) for i in instances]

    def _take_run_left(self, run: int, **left: Any) -> None:
        self._runs[run] |= left

    def _take_run_broke(self, run: int, error: dict[str, Any]) -> None:
        self._runs[run]["error"] = Error.model_validate(error)

    def _take_interrupted(self, index: int, how: str) -> None:
        plan = self._job.scenario.runs[index].interruption
        if plan is None or plan.kind != how:
            raise ValueError("nothing of the kind was planned")
        self._open = None
        if how == "kill":
            self._runs[run_key(index)]["killed"] = True

    def _take_watch_lost(self) -> None:
        self.breach("tampering", "it turned off what watches for the moment to interrupt it")

    def _take_waits(self) -> None:
        """It is the crew that does something about it."""

    def _take_done(self) -> None:
        """Likewise."""

    @staticmethod
    def _key(record: dict[str, Any]) -> tuple[str, int, int]:
        return record["task_id"], record["map_index"], record["number"]

    @staticmethod
    def _run(run: dict[str, Any]) -> Run:
        return Run.model_validate({**run, "tries": list(run["tries"].values())})

    def _check_consistency(self, runs: list[Run]) -> None:
        """What the metadata database says must be what was seen to happen."""
        for run in runs:
            last = {(t.task_id, t.map_index): t.state for t in run.tries}
            for instance in run.instances:
                seen = last.get((instance.task_id, instance.map_index))
                if instance.state in ("success", "failed") and seen != instance.state:
                    self._open = {"task_id": instance.task_id}
                    self.breach(
                        "tampering",
                        f"`{instance.task_id}` is noted as {instance.state}, "
                        f"but it was seen to be {seen or 'never run'}",
                    )

    def _files(self) -> list[File]:
        part, work = self._job.folder / "part", self._job.folder / "work"
        found = {path.relative_to(work).as_posix(): (path, s) for path, s in files_below(work)}
        for path, size in files_below(part):
            if str(path) not in self._given and "__pycache__" not in path.parts:
                found[f"part/{path.relative_to(part).as_posix()}"] = path, size
        return [self._file(name, *found[name]) for name in sorted(found)[:MAX_FILES]]

    @staticmethod
    def _file(name: str, path: Path, size: int) -> File:
        try:
            text = path.read_text("utf-8") if size <= MAX_TEXT else None
        except (UnicodeDecodeError, OSError):
            text = None
        return File(path=name.encode("utf-8", "replace").decode(), size=size, text=text)
