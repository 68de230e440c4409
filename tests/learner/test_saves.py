"""Noticing that a file was saved, in every way that editors save, with and without the system's
help.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from learner import saves as saves_module
from learner.saves import saves

Act = Callable[[Path], None]
PATIENCE = 20.0


def write(file: Path) -> None:
    file.write_text(f"{time.time_ns()}")


def rename(file: Path) -> None:
    beside = file.with_name("beside")
    write(beside)
    os.replace(beside, file)


def keep_the_old(file: Path) -> None:
    """As vim does, if told to keep a backup."""
    file.rename(file.with_name(f"{file.name}~"))
    write(file)


def same_size_same_second(file: Path) -> None:
    size = file.stat().st_size
    file.write_text("y" * size)


def touch(file: Path) -> None:
    os.utime(file)


def take_away(file: Path) -> None:
    file.unlink()


def new_folder(file: Path) -> None:
    """As a switch to another branch may do."""
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.mkdir()
    write(file)


ACTS = (write, rename, keep_the_old, same_size_same_second, touch, take_away, new_folder)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "part").mkdir()
    file = tmp_path / "part" / "dag.py"
    file.write_text("x")
    return file


def noticed(file: Path, *acts: Act, poll: bool = False) -> None:
    """Each act is noticed; raises `TimeoutError` if one is not."""

    async def sit() -> None:
        stream = saves(file, poll=poll)
        for act in acts:
            coming = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.2)  # so that it looks before, too
            act(file)
            await asyncio.wait_for(coming, PATIENCE)
        await stream.aclose()

    asyncio.run(sit())


@pytest.mark.parametrize("poll", [False, True], ids=["told", "looking"])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_save_is_noticed(act: Act, poll: bool, file: Path) -> None:
    noticed(file, act, poll=poll)


def test_several_saves_are_noticed_one_after_the_other(file: Path) -> None:
    noticed(file, write, take_away, write, rename, new_folder, write)


def test_where_no_watch_is_left_looking_goes_on(file: Path, monkeypatch) -> None:
    async def none_left(*_paths: Path, **_options: object) -> AsyncIterator[set[object]]:
        raise OSError("OS file watch limit reached")
        yield set()

    monkeypatch.setattr(saves_module, "awatch", none_left)
    noticed(file, write, rename)


def test_where_the_system_tells_nothing_looking_finds_it(file: Path, monkeypatch) -> None:
    """As in network folders."""

    async def silent(*_paths: Path, rust_timeout: int, **_options: object) -> AsyncIterator[set]:
        while True:
            await asyncio.sleep(rust_timeout / 1000)
            yield set()

    monkeypatch.setattr(saves_module, "awatch", silent)
    noticed(file, write, rename)


def test_other_files_in_the_folder_are_no_save(file: Path) -> None:
    async def sit() -> None:
        stream = saves(file)
        coming = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.2)
        for name in ("dag.py~", ".dag.py.swp", "4913", "README.md"):
            file.with_name(name).write_text("x")
        await asyncio.sleep(2 * saves_module.LOOK_SECONDS)
        assert not coming.done()
        coming.cancel()

    asyncio.run(sit())
