"""The judging side's end of the worker: starts it, hands out jobs, collects transcripts.

A worker that dies is started again once; what it was doing is then tried one job at a time, so
that the blame falls on the right one.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from grader.course import ROOT
from grader.observe.sandbox import Lock, no_sandbox
from grader.scenario import Server
from grader.worker.job import NEWS, Job, Opened, Ready, Reply, Setup

START_TIMEOUT = 180.0
# Two steps, so that no frame of the first is still there when learner code walks up the stack.
START = "from grader.worker.serve import prepare; prepare().serve()"
MOST_SOCKETS = 8


class EnvironmentProblem(Exception):
    """The machine or the installation, not the submission and not the grader."""


class WorkerDied(Exception):
    """The worker ended in the middle of its jobs."""


class WorkerClient:
    """One worker process. Start it early: it loads Airflow while other things are prepared.

    `lock` is what it is locked into, with the folders of `home` that it may write to.
    """

    def __init__(self, home: Path, lock: Lock = no_sandbox):
        writable = [home / "airflow", home / "run"]
        for folder in writable:
            folder.mkdir(parents=True, exist_ok=True)
        self._log = home / "worker.log"
        self.timings: dict[str, float] = {}
        self._rest = b""
        self._descriptors: list[int] = []
        self._connection, worker_end = socket.socketpair()
        with open(self._log, "wb") as log, worker_end:
            self._process = subprocess.Popen(
                lock([sys.executable, "-P", "-c", START], writable),
                stdin=worker_end.fileno(),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=clean_environment(home),
                start_new_session=True,
            )
        with contextlib.suppress(WorkerDied):  # `wait_until_ready` tells why
            self._send(Setup(home=home / "airflow").model_dump_json())

    def wait_until_ready(self) -> None:
        """Raises `EnvironmentProblem` if Airflow cannot be loaded."""
        if self.timings:
            return
        deadline = time.monotonic() + START_TIMEOUT
        try:
            line = self._line(deadline)
        except WorkerDied:
            raise EnvironmentProblem(
                f"Airflow could not be loaded: {self._last_words()} (all of it: {self._log})"
            ) from None
        self.timings = Ready.model_validate_json(line).timings

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def submit(self, job: Job) -> None:
        """Hand out a job. Raises `WorkerDied`."""
        self._send(job.model_dump_json())

    def next_news(self, timeout: float) -> Opened | Reply:
        """The next finished job, or one whose servers are waited for. Raises `WorkerDied`."""
        return NEWS.validate_json(self._line(time.monotonic() + timeout))

    def sockets_of(self, opened: Opened) -> dict[Server, socket.socket]:
        """The sockets that came along with the news; now the caller's to close."""
        count = len(opened.sockets)
        mine, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return {k: socket.socket(fileno=d) for k, d in zip(opened.sockets, mine, strict=True)}

    def _send(self, line: str) -> None:
        try:
            self._connection.sendall(line.encode() + b"\n")
        except ConnectionError:
            raise WorkerDied from None

    def _line(self, deadline: float) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(timeout=max(0.0, deadline - time.monotonic())):
                    raise WorkerDied
                self._rest += self._receive()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _receive(self) -> bytes:
        try:
            data, found, _, _ = socket.recv_fds(self._connection, 1 << 20, MOST_SOCKETS)
        except ConnectionError:
            raise WorkerDied from None
        for descriptor in found:
            os.set_inheritable(descriptor, False)
        self._descriptors += found
        if not data:
            raise WorkerDied
        return data

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        if not lines and not shutil.disk_usage(self._log).free:
            return "the disk is full"
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """End the worker and everything below it."""
        try:
            below = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            below = []
        for process in below:
            try:
                process.kill()
            except psutil.Error:
                continue
        self._connection.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


def clean_environment(home: Path) -> dict[str, str]:
    """What the worker inherits: nothing that leads Airflow or Python elsewhere, and no secrets."""
    keep = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    environment = {k: v for k, v in os.environ.items() if k in keep}
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "0",
        "PYTHONHASHSEED": "0",
        # An arena per thread would reserve 64 MiB each of the address space that is limited.
        "MALLOC_ARENA_MAX": "1",
        "NO_PROXY": "*",
    }
    if sys.platform == "darwin":
        # Apple's Objective-C runtime ends a forked child that touches it, unless told not to.
        environment["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"
    return environment
