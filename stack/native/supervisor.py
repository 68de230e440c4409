"""supervisord, which keeps the programs alive: how it is set up, started, asked and stopped.

It must not know what a program is for. Nothing that it started may be left after `stop`.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from stack import ROOT, StackProblem
from stack.native.programs import Program

STOP_SECONDS = 20
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 on Linux, 104 on macOS
GONE_FOR_GOOD = ("FATAL", "UNKNOWN")


@dataclass(frozen=True)
class State:
    """What supervisord says of a program. `seconds` since its start; `exit` of its last end."""

    name: str
    state: str
    pid: int
    seconds: int
    exit: int


class Supervisor:
    """One supervisord, with all its files below `home`."""

    def __init__(self, home: Path):
        self.home = home
        self.logs = home / "logs"
        # Nobody else works in this folder, so whose folder it is belongs to the stack. The
        # environment would not do: Airflow overwrites it when it sets its processes' titles.
        self._folder = home / "run"
        self._socket = home / "supervisor.sock"
        self._configuration = home / "supervisord.conf"
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise StackProblem(f"the path of this folder is too long for a socket: {ROOT}.")

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)

    @property
    def running(self) -> bool:
        """Whether supervisord answers."""
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except (OSError, xmlrpc.client.Error):
            return False

    def launch(self, programs: Sequence[Program]) -> None:
        """Start supervisord, which starts no program by itself. Raises `StackProblem`."""
        for folder in (self.logs, self._folder):
            folder.mkdir(parents=True, exist_ok=True)
        with open(self._configuration, "w", encoding="utf-8") as out:
            self._settings(programs).write(out)
        environment = clean_environment()
        for program in programs:
            environment |= program.environment
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode or not wait_for(lambda: self.running, seconds=10):
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise StackProblem(f"supervisord did not start: {last[0]}")

    def _settings(self, programs: Sequence[Program]) -> configparser.RawConfigParser:
        settings = configparser.RawConfigParser()
        settings["unix_http_server"] = {"file": str(self._socket), "chmod": "0700"}
        settings["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        settings["supervisord"] = {
            "logfile": str(self.logs / "supervisord.log"),
            "pidfile": str(self.home / "supervisord.pid"),
            "directory": str(self._folder),
        }
        for program in programs:
            settings[f"program:{program.name}"] = {
                "command": " ".join(quoted(word) for word in program.command),
                "directory": str(self._folder),
                "autostart": "false",
                "autorestart": "false" if program.once else "true",
                "startsecs": "0" if program.once else "2",
                "startretries": "10",
                "stopasgroup": "true",
                "killasgroup": "true",
                "stopwaitsecs": str(STOP_SECONDS),
                "redirect_stderr": "true",
                "stdout_logfile": str(self.log(program.name)),
                "stdout_logfile_maxbytes": "10MB",
                "stdout_logfile_backups": "1",
            }
        return settings

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.logs / f"{name}.log"

    def start(self, name: str) -> None:
        """Start a program without waiting for it."""
        with contextlib.suppress(xmlrpc.client.Fault):  # it is already there
            self._call("startProcess", name, False)

    def stop_one(self, name: str) -> None:
        """Stop a program and wait until it has ended; it is not started again."""
        with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
            self._call("stopProcess", name, True)

    def states(self) -> dict[str, State]:
        """Each program's state, by name."""
        return {
            told["name"]: State(
                told["name"],
                told["statename"],
                told["pid"],
                told["now"] - told["start"] if told["pid"] else 0,
                told["exitstatus"],
            )
            for told in self._call("getAllProcessInfo")
        }

    def processes(self) -> list[psutil.Process]:
        """Everything that was started for this stack, also what lost its parent."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == self._folder:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def stop(self) -> None:
        """End supervisord and its programs, and then whatever is left."""
        if self.running:
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self._call("shutdown")
            wait_for(lambda: not self.running, seconds=STOP_SECONDS + 10)
        left = self.processes()
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(left, timeout=10)
        for process in stubborn:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, timeout=5)
        self._socket.unlink(missing_ok=True)

    def last_words(self, name: str) -> str:
        """The last line of a program's output."""
        try:
            text = self.log(name).read_text("utf-8", "replace")
        except OSError:
            return ""
        return (text.strip().splitlines() or [""])[-1]


def quoted(word: str) -> str:
    """A word of a command as supervisord reads it: split like a shell's, and % doubled."""
    word = word.replace("%", "%%")
    return f'"{word}"' if " " in word else word


def clean_environment() -> dict[str, str]:
    """What programs inherit: nothing that changes Airflow or Grafana behind our back."""
    ours = ("AIRFLOW", "GF_", "PYTHON", "_AIRFLOW")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return inherited | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def wait_for(condition: Any, seconds: float) -> bool:
    """Ask until it holds or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
