"""Brings the native stack up in the order of its dependencies, and takes it down."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import HOME, StackProblem
from stack.native import binaries
from stack.native.config import copy_configuration
from stack.native.programs import Program, programs
from stack.native.supervisor import GONE_FOR_GOOD, Supervisor
from stack.ports import refuse_taken_ports
from stack.report import Line

UP_SECONDS = 180.0
Say = Callable[[str], None]


class NativeStack:
    """The stack as processes of this machine. `database` is a URL; SQLite if it is not given."""

    def __init__(
        self, settings: Mapping[str, str], *, home: Path = HOME, database: str | None = None
    ):
        self.home = home
        self.supervisor = Supervisor(home)
        self._settings = settings
        self._database = database
        self._programs = programs(home, settings, database)

    @property
    def running(self) -> bool:
        """Whether it was brought up and not taken down, whatever became of its parts."""
        return self.supervisor.running or bool(self.supervisor.processes())

    def up(self, say: Say) -> None:
        """Start everything and wait until it is healthy. Raises `StackProblem`."""
        refuse_missing_binaries()
        refuse_taken_ports()
        self._lay_out()
        self.supervisor.launch(self._programs)
        try:
            self._start_in_order(say)
        except BaseException:
            self.down()
            raise

    def _lay_out(self) -> None:
        airflow = self.home / "airflow"
        airflow.mkdir(parents=True, exist_ok=True)
        copy_configuration(self.home)
        passwords = airflow / "passwords.json"
        login = {self._settings["AIRFLOW_USER"]: self._settings["AIRFLOW_PASSWORD"]}
        with open(os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(login, out)

    def _start_in_order(self, say: Say) -> None:
        begun = time.monotonic()
        started: set[str] = set()
        healthy: set[str] = set()
        while len(healthy) < len(self._programs):
            for program in self._programs:
                if program.name not in started and healthy.issuperset(program.after):
                    self.supervisor.start(program.name)
                    started.add(program.name)
            states = self.supervisor.states()
            for program in self._programs:
                state = states[program.name]
                if program.name in started - healthy and is_up(program, state.state, state.exit):
                    healthy.add(program.name)
                    say(f"{program.name} is up ({time.monotonic() - begun:.0f} s)")
                if state.state in GONE_FOR_GOOD or (program.once and state.exit):
                    raise self._failure(program.name, "does not start")
            if time.monotonic() - begun > UP_SECONDS:
                late = next(p.name for p in self._programs if p.name in started - healthy)
                raise self._failure(late, f"is not healthy after {UP_SECONDS:.0f} s")
            time.sleep(0.2)

    def _failure(self, name: str, what: str) -> StackProblem:
        words = self.supervisor.last_words(name)
        return StackProblem(
            f"{name} {what}; its last words: {words or 'none'} (all: {self.supervisor.log(name)})"
        )

    def down(self) -> None:
        """Stop everything; data stays."""
        self.supervisor.stop()

    def clean(self) -> None:
        """Stop everything and forget all data."""
        self.down()
        shutil.rmtree(self.home, ignore_errors=True)

    def stop_service(self, service: str) -> None:
        """Stop one service, to see what the others make of it."""
        self._known(service)
        self.supervisor.stop_one(service)

    def start_service(self, service: str) -> None:
        """Start one service that was stopped."""
        self._known(service)
        self.supervisor.start(service)

    def _known(self, service: str) -> None:
        names = [program.name for program in self._programs]
        if service not in names:
            raise StackProblem(f"there is no service {service!r}; there are {', '.join(names)}.")

    def status(self) -> list[Line]:
        """One line per program."""
        if not self.supervisor.running:
            left = len(self.supervisor.processes())
            told = f"not running, {left} programs without it" if left else "not running"
            return [Line("supervisor", False, told, "make stack-down, then make stack-native")]
        states = self.supervisor.states()
        lines = []
        for program in self._programs:
            state = states[program.name]
            healthy = is_up(program, state.state, state.exit)
            told = "done" if program.once and healthy else state.state.lower()
            if state.state == "RUNNING":
                told = f"{'healthy' if healthy else 'not healthy'}, {state.seconds} s"
            lines.append(Line(program.name, healthy, told, program.address))
        return lines

    def log_files(self, service: str | None) -> list[Path]:
        """The files that hold the output. Raises `StackProblem` for an unknown service."""
        if service:
            self._known(service)
        names = [service] if service else [program.name for program in self._programs]
        files = [self.supervisor.log(name) for name in names]
        return [file for file in files if file.is_file()]


def is_up(program: Program, state: str, exit_code: int) -> bool:
    """Whether a program does its work, or has done it."""
    if program.once:
        return state == "EXITED" and exit_code == 0
    return state == "RUNNING" and program.healthy is not None and program.healthy()


def refuse_missing_binaries() -> None:
    """Raises `StackProblem` that says what is missing and how to get it."""
    if missing := binaries.missing():
        told = "; ".join(f"{binary.name} ({binary.how})" for binary in missing)
        raise StackProblem(f"the native stack needs {told}.")
