"""The native stack on a PostgreSQL of one's own. It comes last: the stack on SQLite makes room."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import Airflow, eventually
from conftest import Stack, command
from dotenv import dotenv_values

from stack import ROOT

PORT = 15432


def programs() -> Path | None:
    """Where PostgreSQL's own programs are; Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A new PostgreSQL on a port of its own; its URL."""
    folder = programs()
    if folder is None:
        if os.environ.get("STACK_BINARIES") == "required":
            pytest.fail("PostgreSQL is not here, and STACK_BINARIES=required")
        pytest.skip("PostgreSQL is not here")
    # It refuses to run as root, so root becomes the user that its package made.
    user = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="stack-postgres-") as home:
        if user:
            os.chown(home, pwd.getpwnam(user).pw_uid, -1)

        def run(program: str, *words: str) -> None:
            command = [str(folder / program), "-D", f"{home}/data", *words]
            subprocess.run(command, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL)

        run("initdb", "-U", "airflow", "--auth=trust", "--no-sync")
        options = f"-p {PORT} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
        run("pg_ctl", "-w", "-l", f"{home}/log", "-o", options, "start")
        yield f"postgresql+psycopg2://airflow@127.0.0.1:{PORT}/postgres"
        run("pg_ctl", "-m", "fast", "stop")


def test_it_runs_on_postgresql(stack: Stack, database: str) -> None:
    assert command("down").returncode == 0
    told = command("up", "--native", "--database", database)
    assert told.returncode == 0, told.stderr
    settings = dotenv_values(ROOT / ".env")
    airflow = Airflow(str(settings["AIRFLOW_USER"]), str(settings["AIRFLOW_PASSWORD"]))
    eventually(airflow.dag_ids, lambda ids: "short_success" in ids)
    assert airflow.get("/dags/short_success/dagRuns")["total_entries"] == 0
    assert airflow.state("short_success") == "success"
    assert command("down").returncode == 0
    assert stack.supervisor.processes() == []
