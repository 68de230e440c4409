"""One warm worker for all tests of the engine. Nothing of it is left when they end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from probing import Notes, Probe, Seen, observe_all
from repository import Repo

from grader.api import HOME
from grader.observe.observer import Observer


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of whoever grades. Nothing may ever be written there."""
    folder = tmp_path_factory.mktemp("person")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("AIRFLOW_HOME", str(folder / "airflow"))
        patch.setenv("HERON_SECRET", "not for a submission")
        yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grader's own folder, with a metadata database if one was ever made here."""
    folder = tmp_path_factory.mktemp("home")
    for made in (HOME / "airflow").glob("*/airflow.db"):
        target = folder / "airflow" / made.parent.name / made.name
        target.parent.mkdir(parents=True)
        shutil.copyfile(made, target)
    return folder


@pytest.fixture(scope="session")
def notes() -> Notes:
    """What the observer says while it works."""
    return Notes()


@pytest.fixture(scope="session")
def observer(
    home: Path, person: Path, notes: Notes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observer]:
    """One worker for all probes, which have no data of a course beside them."""
    exercises = tmp_path_factory.mktemp("exercises")
    observer = Observer(home, exercises, jobs=2, cache=False, listener=notes)
    yield observer
    worker = observer._worker
    below = psutil.Process(worker._process.pid) if worker else None
    observer.stop()
    assert below is None or not below.is_running(), "the worker lives on"
    assert list((home / "run").iterdir()) == [], "scratch folders were left"


@pytest.fixture(scope="module")
def observe(
    observer: Observer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[dict[str, Probe]], Seen]:
    """Observe a batch of probes in one go."""
    return lambda probes: observe_all(observer, tmp_path_factory.mktemp("submission"), probes)


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, observe: Callable[[dict[str, Probe]], Seen]) -> Seen:
    """What became of the `PROBES` of the test's own file."""
    return observe(request.module.PROBES)


@pytest.fixture(scope="session")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A copy of the repository, with a `.work` of its own."""
    return Repo(tmp_path_factory.mktemp("cli"))
