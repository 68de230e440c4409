"""Stands between the worker and one scenario: has its processes started, looks at them from
outside, ends whatever is left of them and writes the transcript. It runs no learner code and trusts
none.

Differences between systems: see `ending`. Address space is limited by the kernel on Linux only; on
macOS the memory limit is polled.
"""

from __future__ import annotations

import os
import select
import time

import psutil

from grader.transcript import Transcript
from grader.worker.assemble import Assembler
from grader.worker.crew import Crew
from grader.worker.database import Database
from grader.worker.ending import become_subreaper, end_everything
from grader.worker.events import ProtocolError
from grader.worker.job import Job
from grader.worker.watch import POLL, Watch, anonymous_memory


def keep(job: Job, database: Database, environment: dict[str, str]) -> Transcript:
    """Observe one job in fresh processes and return what became of it."""
    os.setsid()
    become_subreaper()
    started = time.perf_counter()
    watch = Watch(job, anonymous_memory(psutil.Process()))
    assembler = Assembler(job)
    crew = Crew(job, database, environment)
    complete = False
    try:
        crew.begin()
        complete = follow(crew, assembler, watch)
    except ProtocolError as error:
        assembler.breach(error.limit, error.detail)
    finally:
        crew.close()
        left = end_everything()
    transcript = assembler.finish(left, complete=complete)
    return transcript.model_copy(
        update={"timings": {"scenario": round(time.perf_counter() - started, 3)}}
    )


def follow(crew: Crew, assembler: Assembler, watch: Watch) -> bool:
    """Read events until all have come to their end, or one is gone before. Raises `ProtocolError`
    if one is over a limit.
    """
    while members := crew.at_work:
        readable, _, _ = select.select([member.events for member in members], [], [], POLL)
        for member in members:
            if member.events not in readable:
                continue
            data = os.read(member.events, 65536)
            if not data and not crew.gone(member):
                return False
            for event in member.reader.feed(data):
                assembler.take(dict(event))
                crew.heard(member, event)
                if event["kind"] == "try_ended":
                    # Before another task can be blamed for what this one left.
                    watch.look_closely()
        watch.look()
    watch.look_closely()
    return True
