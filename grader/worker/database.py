"""The metadata database: a migrated SQLite template, and a copy of it for each scenario.

It must not hold anything of a learner's: every scenario starts from the template's bytes, which
the worker keeps in memory, out of reach of what a submission does to files.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Any

NAME = "airflow.db"


class Database:
    """Where Airflow's engines connect to. The engines stay, and with them their compiled SQL."""

    def __init__(self, home: Path):
        self._template = home / NAME
        self._bytes = b""
        self._current = self._template

    def open(self) -> None:
        """Read the template, after making it if it is missing or not what was once made."""
        from sqlalchemy import event

        seal = self._template.with_suffix(".sha256")
        with open(self._template.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._bytes = read(self._template)
            if read(seal) != digest(self._bytes):
                self._template.unlink(missing_ok=True)
                self._make()
                self._bytes = read(self._template)
                seal.write_bytes(digest(self._bytes))
        for engine in engines():
            event.listen(engine, "do_connect", self._connect)
            event.listen(engine, "connect", write_without_waiting)

    def _make(self) -> None:
        from airflow.utils import db

        db.initdb()
        with engines()[0].connect() as connection:
            # Into the one file, whatever the journal still holds.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.close()

    def _connect(self, dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> None:
        if args:
            args[0] = str(self._current)
        else:
            options["database"] = str(self._current)

    def use_copy(self, target: Path) -> None:
        """From here on, Airflow works on a fresh copy of the template in `target`."""
        target.write_bytes(self._bytes)
        self.close()
        self._current = target
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{target}"

    @staticmethod
    def close() -> None:
        """Close every connection: none may cross a fork."""
        from airflow import settings

        assert settings.Session is not None
        settings.Session.remove()
        for engine in engines():
            engine.dispose()


def engines() -> list[Any]:
    """Airflow's engines for plain and for asynchronous sessions."""
    from airflow import settings

    assert settings.engine is not None and settings.async_engine is not None
    return [settings.engine, settings.async_engine.sync_engine]


def write_without_waiting(connection: Any, record: Any) -> None:
    """Leave it to the system when a copy reaches the disk: none outlives its scenario."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def read(path: Path) -> bytes:
    """A file's bytes; none if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def digest(data: bytes) -> bytes:
    """SHA-256 as hexadecimal text."""
    return hashlib.sha256(data).hexdigest().encode()
