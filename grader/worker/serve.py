"""The worker's loop: reads jobs as JSON lines, answers with transcripts, many at a time.

It forks a keeper per job and never loads learner code itself. Whoever starts it decides how many
jobs are under way at once.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time
import traceback

from grader.transcript import Breach, Transcript
from grader.worker.database import Database
from grader.worker.disguise import forget_file_names
from grader.worker.ending import become_subreaper, end_everything
from grader.worker.job import Job, Opened, Ready, Reply, Setup
from grader.worker.keeper import keep
from grader.worker.preload import preload
from grader.worker.sockets import environment, open_sockets

GRACE = 5.0


class Keeping:
    """A keeper at work: its process, what it has said so far, when it is overdue."""

    def __init__(self, job: Job, pid: int, fd: int):
        self.job, self.pid, self.fd = job, pid, fd
        self.overdue = time.monotonic() + job.limits.seconds + GRACE
        self.data = b""


class Server:
    """The worker's loop. One thread, no Airflow call."""

    def __init__(self, judge: socket.socket, database: Database):
        self._judge, self._database = judge, database
        self._selector = selectors.DefaultSelector()
        self._selector.register(judge, selectors.EVENT_READ)
        self._keepers: dict[int, Keeping] = {}
        self._rest = b""
        self._open = True

    def serve(self) -> None:
        """Until the requests end and every keeper has answered."""
        while self._open or self._keepers:
            for key, _ in self._selector.select(timeout=0.5):
                if key.fd == self._judge.fileno():
                    self._read_requests()
                elif key.fd in self._keepers:
                    self._read_keeper(self._keepers[key.fd])
            for keeping in [k for k in self._keepers.values() if time.monotonic() > k.overdue]:
                self._lost(keeping, "seconds", f"{keeping.job.limits.seconds:g} seconds")

    def _read_requests(self) -> None:
        try:
            data = self._judge.recv(1 << 20)
        except ConnectionError:  # the judge is gone, without a farewell
            data = b""
        if not data:
            self._open = False
            self._selector.unregister(self._judge)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._start(Job.model_validate_json(line))

    def _start(self, job: Job) -> None:
        settings = self._open_servers(job)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            run_keeper(job, self._database, settings, writing)
        os.close(writing)
        self._keepers[reading] = Keeping(job, pid, reading)
        self._selector.register(reading, selectors.EVENT_READ)

    def _open_servers(self, job: Job) -> dict[str, str]:
        """Hand the sockets of the job's servers to the judge. Returns what leads to them."""
        sockets = open_sockets(job.scenario)
        settings = environment(job.scenario, sockets)
        if sockets:
            line = Opened(id=job.id, sockets=tuple(sockets)).model_dump_json().encode() + b"\n"
            socket.send_fds(self._judge, [line], [s.fileno() for s in sockets.values()])
        for opened in sockets.values():
            opened.close()
        return settings

    def _read_keeper(self, keeping: Keeping) -> None:
        data = os.read(keeping.fd, 1 << 20)
        keeping.data += data
        if data:
            return
        try:
            transcript = Transcript.model_validate_json(keeping.data)
        except ValueError:
            self._lost(keeping, "exit", "it ended the process that was watching it")
            return
        self._answer(keeping, transcript)

    def _lost(self, keeping: Keeping, limit: str, detail: str) -> None:
        """The keeper itself was killed or stopped by what it kept."""
        breach = Breach(limit=limit, detail=detail, phase="run")  # type: ignore[arg-type]
        self._answer(keeping, Transcript(scenario=keeping.job.scenario.name, breach=breach))

    def _answer(self, keeping: Keeping, transcript: Transcript) -> None:
        self._selector.unregister(keeping.fd)
        os.close(keeping.fd)
        del self._keepers[keeping.fd]
        end_everything(keep_alive=frozenset(k.pid for k in self._keepers.values()))
        reply = Reply(id=keeping.job.id, transcript=transcript)
        self._judge.sendall(reply.model_dump_json().encode() + b"\n")


def run_keeper(job: Job, database: Database, settings: dict[str, str], writing: int) -> None:
    """The forked side: keep one job, hand over its transcript, end."""
    try:
        try:
            data = keep(job, database, settings).model_dump_json().encode()
        except Exception:
            # Only what a submission did can make its account unreadable; it gets the blame.
            traceback.print_exc()
            breach = Breach(limit="tampering", detail="it cannot be read", phase="run")
            lost = Transcript(scenario=job.scenario.name, breach=breach)
            data = lost.model_dump_json().encode()
        write_all(writing, data)
    finally:
        os._exit(0)


def write_all(fd: int, data: bytes) -> None:
    """Write it all, in as many steps as the pipe takes."""
    while data:
        data = data[os.write(fd, data) :]


def prepare() -> Server:
    """Take the connection to the judge, which is descriptor 0, out of learner code's way and load
    Airflow.
    """
    judge = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    become_subreaper()
    line = b""
    while not line.endswith(b"\n"):
        line += judge.recv(1) or sys.exit("no setup")
    setup = Setup.model_validate_json(line)
    database, timings = preload(setup.home)
    forget_file_names()
    judge.sendall(Ready(timings=timings).model_dump_json().encode() + b"\n")
    return Server(judge, database)
