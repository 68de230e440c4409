"""A folder of this run's own below `.work`, removed with it; what a killed run left goes as well.

It must not hold anything that is worth keeping.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.observe.observer import remove
from grader.observe.worker_client import WorkerClient


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """A new folder below `home`. Raises `OSError`."""
    home.mkdir(parents=True, exist_ok=True)
    for left in home.iterdir():
        remove_if_abandoned(left)
    folder = Path(tempfile.mkdtemp(dir=home))
    try:
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        remove(folder)


def remove_if_abandoned(folder: Path) -> None:
    """Remove the folder of a run that has ended without doing so."""
    try:
        with open(folder / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(folder)
    except BlockingIOError:
        return
    except OSError:
        remove(folder)


def make_template(folder: Path) -> None:
    """Have a worker that never sees a submission make Airflow's metadata database.

    Raises `EnvironmentProblem` where Airflow does not work.
    """
    worker = WorkerClient(folder)
    try:
        worker.wait_until_ready()
    finally:
        worker.stop()


def lay_out_home(template: Path, home: Path) -> None:
    """A grader's home in which the metadata database is there already."""
    for made in (template / "airflow").glob("*/airflow.*"):
        target = home / "airflow" / made.parent.name / made.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
