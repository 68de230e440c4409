"""Limits from outside: what was hit, in which task, and that all before it is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from probing import DAY, Probe, Seen, loaded, ran, source, tries_of

from grader.judge.view import moment
from grader.scenario import Limits
from grader.worker.assemble import Assembler
from grader.worker.job import Job

BEFORE = """
import signal
import threading
from pathlib import Path


def hold():
    threading.Event().wait(60)  # real time, and no work for the processor


def children(count, size=1):
    for _ in range(count):
        if os.fork() == 0:
            memory = b"x" * size
            while True:
                signal.pause()
    hold()
"""


def stopped(body: str, *, runs: int = 1, **limits: float) -> Probe:
    """A DAG whose first task is well, whose second fails once and then does `body`."""
    text = f"""
    @task
    def well():
        print("all is well")
        return {{"rows": 3}}

    @task(retries=1, retry_delay=timedelta(minutes=1))
    def trouble(ti):
        if ti.try_number == 1:
            raise ValueError("the first try")
        print("here it comes", flush=True)
        {body}

    @task
    def later(): ...

    well() >> trouble() >> later()
    """
    days = tuple(DAY + timedelta(days=n) for n in range(runs))
    return Probe(
        source(text, before=BEFORE), (ran("run", *days),), Limits(**{"seconds": 45, **limits})
    )


TASK_BREACHES = {
    "seconds": stopped("hold()", seconds=6),
    "memory": stopped("children(3, size=100 * 2**20)", memory_mib=192),
    "processes": stopped("children(9)", processes=6),
    "output": stopped("print('x' * 3 * 2**20, flush=True); hold()", output_mib=1),
    "files": stopped(
        "[Path(f'{n}.bin').write_bytes(bytes(3 * 2**20)) for n in range(4)]; hold()", files_mib=6
    ),
    "exit": stopped("os._exit(0)"),
}
DETAILS = {
    "seconds": "6 seconds",
    "memory": "192 MiB of memory",
    "processes": "6 processes",
    "output": "1 MiB of output",
    "files": "6 MiB of files",
    "exit": "the process ended before the run did",
}
MANY = source("@task\ndef one(): ...\n\n[one.override(task_id=f't{n}')() for n in range(5)]")
PROBES = {
    **TASK_BREACHES,
    "killed": stopped("os.kill(os.getpid(), signal.SIGKILL)"),
    "second_run": stopped("if ti.run_id >= 'manual__2024-03-06': os._exit(0)", runs=3),
    "one_big_object": stopped("bytearray(300 * 2**20)", memory_mib=192),
    "one_big_file": stopped("Path('big').write_bytes(bytes(8 * 2**20))", files_mib=6),
    "left_behind": stopped("[Path(f'{n}').write_bytes(bytes(2**22)) for n in (1, 2)]", files_mib=6),
    "tasks": Probe(MANY, (loaded(),), Limits(tasks=4)),
    "tasks_enough": Probe(MANY, (loaded(),), Limits(tasks=5)),
    "slow_import": Probe(BEFORE + "import os\nhold()\n", (loaded(),), Limits(seconds=2)),
    "exit_at_import": Probe("import os\nprint('bye', flush=True)\nos._exit(0)\n", (loaded(),)),
}


@pytest.mark.parametrize("limit", TASK_BREACHES)
def test_which_limit_in_which_task(limit: str, seen: Seen) -> None:
    breach = seen(limit).breach
    assert breach is not None
    assert (breach.limit, breach.detail) == (limit, DETAILS[limit])
    assert (breach.phase, breach.task_id) == ("run", "trouble")


@pytest.mark.parametrize("limit", TASK_BREACHES)
def test_what_came_before_is_kept(limit: str, seen: Seen) -> None:
    transcript = seen(limit)
    assert transcript.dag is not None and len(transcript.dag.tasks) == 3
    (run,) = transcript.runs
    assert (run.state, run.instances) == (None, [])
    (well,) = tries_of(run, "well")
    assert well.xcoms["return_value"].json_value == {"rows": 3}
    assert "all is well" in well.output
    first, second = tries_of(run, "trouble")
    assert first.state == "up_for_retry"
    assert first.error is not None and first.error.message == "the first try"
    assert (second.state, second.end, second.number) == (None, None, 2)
    assert moment(second.start) - moment(first.start) > timedelta(minutes=1)
    assert tries_of(run, "later") == []


def test_the_files_of_a_stopped_run_are_listed(seen: Seen) -> None:
    found = {f.path: f.size for f in seen("files").files}
    assert {"0.bin", "1.bin"} <= set(found)
    assert found["0.bin"] == 3 * 2**20


def test_the_time_limit_is_kept_in_real_time(seen: Seen) -> None:
    assert 6 <= seen("seconds").timings["scenario"] < 25


def test_a_process_that_is_killed(seen: Seen) -> None:
    breach = seen("killed").breach
    assert breach is not None
    assert (breach.limit, breach.phase, breach.task_id) == ("exit", "run", "trouble")


def test_earlier_runs_are_kept_whole(seen: Seen) -> None:
    transcript = seen("second_run")
    assert transcript.breach is not None
    assert (transcript.breach.limit, transcript.breach.task_id) == ("exit", "trouble")
    first, second = transcript.runs
    assert (first.state, second.state) == ("success", None)
    assert [t.task_id for t in first.tries] == ["well", "trouble", "trouble", "later"]
    assert [t.task_id for t in second.tries] == ["well", "trouble", "trouble"]


def test_what_the_kernel_refuses_is_the_tasks_own_error(seen: Seen) -> None:
    """The run goes on: the learner sees the exception in their line."""
    run = seen.run("one_big_object")
    _, second = tries_of(run, "trouble")
    assert second.error is not None
    assert (second.state, second.error.type) == ("failed", "MemoryError")
    assert second.error.text == "bytearray(300 * 2**20)"
    assert (run.state, tries_of(run, "later")) == ("failed", [])


def test_one_file_beyond_the_limit(seen: Seen) -> None:
    """It is cut where the limit is, so with what stood there before there is too much."""
    breach = seen("one_big_file").breach
    assert breach is not None
    assert (breach.limit, breach.task_id) == ("files", "trouble")
    error = tries_of(seen("one_big_file").runs[0], "trouble")[1].error
    assert error is None or "File too large" in error.message
    size = {f.path: f.size for f in seen("one_big_file").files}["big"]
    assert 6 * 2**20 <= size < 8 * 2**20


def test_who_is_blamed_between_two_tasks(tmp_path: Path) -> None:
    """For what is left behind, the task before; for the clock, nobody."""
    for limit, blamed in {"files": "well", "memory": "well", "seconds": None}.items():
        job = Job(
            id=1,
            folder=tmp_path,
            dag_file="probe.py",
            dag_id="probe",
            scenario=ran(),
            limits=Limits(),
        )
        assembler = Assembler(job)
        record = {"task_id": "well", "map_index": -1, "number": 1, "start": "2024-03-05"}
        about = {"dag_id": "probe", "cause": "planned", "logical_date": "x", "start": "x"}
        loaded = {"dag_ids": ["probe"], "dags": [], "slept": 0.0, "touched": []}
        assembler.take({"kind": "loaded", **loaded})
        assembler.take({"kind": "run_started", "run": 0, "conf": {}, **about})
        assembler.take({"kind": "try_started", "run": 0, **record})
        assembler.take({"kind": "try_ended", "run": 0, "record": record | {"state": "success"}})
        assembler.breach(limit, "too much")
        breach = assembler.finish(1, complete=False).breach
        assert breach is not None
        assert (breach.limit, breach.task_id) == (limit, blamed)


def test_too_much_is_blamed_on_the_task_that_left_it(seen: Seen) -> None:
    breach = seen("left_behind").breach
    assert breach is not None
    assert (breach.limit, breach.phase, breach.task_id) == ("files", "run", "trouble")


def test_too_many_tasks(seen: Seen) -> None:
    transcript = seen("tasks")
    assert transcript.breach is not None and transcript.dag is None
    assert (transcript.breach.limit, transcript.breach.phase) == ("tasks", "load")
    assert transcript.breach.detail == "4 tasks; the DAG has 5"
    enough = seen("tasks_enough")
    assert enough.breach is None and enough.dag is not None and len(enough.dag.tasks) == 5


@pytest.mark.parametrize(
    ("name", "limit"), [("slow_import", "seconds"), ("exit_at_import", "exit")]
)
def test_a_file_that_does_not_come_back(name: str, limit: str, seen: Seen) -> None:
    transcript = seen(name)
    assert transcript.breach is not None
    assert (transcript.breach.limit, transcript.breach.phase) == (limit, "load")
    assert transcript.breach.task_id is None
    assert (transcript.dag, transcript.runs, transcript.import_error) == (None, [], None)
