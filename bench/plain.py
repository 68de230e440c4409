"""Measures Airflow's own ways on the staged scenarios: `airflow dags test`, and plain `dag.test()`.

Time is real in both. It must not import Airflow here, nor anything of the grader.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bench.ours import BenchProblem, Figure, Lap, timed
from bench.story import STORIES, Story

TEST_FILE = Path(__file__).with_name("plain_dag_test.py")


class Plain:
    """Airflow with homes of its own below `home`. Migrating the database is not measured."""

    def __init__(self, home: Path, environment: dict[str, str]):
        self._home, self._environment = home / "plain", environment
        self._template = self._home / "template"
        self._count = 0
        shutil.rmtree(self._home, ignore_errors=True)
        (self._template / "dags").mkdir(parents=True)
        settings = self.settings(self._template, self._template / "dags")
        migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
        timed(migrate, self._template, settings, "airflow db migrate")

    def command_line(self, story: Story) -> Figure:
        """`airflow dags test` once per run of the scenario, each a process of its own."""
        home = self.new_home()
        settings = self.settings(home, story.folder / "part")
        laps = []
        for run in story.runs:
            command = [sys.executable, "-m", "airflow", "dags", "test", "--conf"]
            command += [json.dumps(run.conf), story.dag_id, run.logical_date]
            what = f"airflow dags test ({story.name})"
            laps.append(timed(command, home, settings, what, code=int(run.state == "failed")))
        found = states(home / "airflow.db")
        wanted = [run.state for run in story.runs]
        if found != wanted:
            raise BenchProblem(f"{story.name}: runs ended as {found}, with ours as {wanted}")
        return Figure(laps)

    def one_process(self, stories: list[Story]) -> tuple[Lap, dict[str, float]]:
        """One pytest process, all scenarios one after another; and the seconds of each."""
        home = self.new_home()
        (home / "dags").mkdir(exist_ok=True)
        (home / "stories.json").write_bytes(STORIES.dump_json(stories))
        settings = self.settings(home, home / "dags")
        settings["BENCH_STORIES"] = str(home / "stories.json")
        settings["BENCH_SECONDS"] = str(home / "seconds.json")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=0"]
        command += ["--confcutdir", str(home), "--rootdir", str(home), "-c", "/dev/null"]
        lap = timed([*command, str(TEST_FILE)], home, settings, "pytest with dag.test()")
        return lap, json.loads((home / "seconds.json").read_text("utf-8"))

    def new_home(self) -> Path:
        self._count += 1
        home = self._home / f"{self._count:02}"
        shutil.copytree(self._template, home)
        return home

    def settings(self, home: Path, dags: Path) -> dict[str, str]:
        scratch = home / "tmp"
        scratch.mkdir(exist_ok=True)
        return self._environment | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "HOME": str(home),
            "TMPDIR": str(scratch),
        }


def states(database: Path) -> list[str]:
    """How the runs in a metadata database ended, in the order of their logical dates."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("select state from dag_run order by logical_date")
        return [state for (state,) in rows]
