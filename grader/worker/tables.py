"""Reads the tables of a SQLite or DuckDB file that a run wrote, from a copy.

It must not change the file, wait for a lock, or fail because the file is none.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from grader.transcript import Table
from grader.worker import facts

LARGEST = 32 * 1024 * 1024
MOST_TABLES, MOST_ROWS, MOST_COLUMNS = 20, 2_000, 50
# What a database keeps beside its file until that is written to.
BESIDE = ("", "-journal", "-wal", "-shm", ".wal")
SQLITE_TABLES = "select name from sqlite_master where type = 'table' order by name"
DUCKDB_TABLES = (
    "select table_name from information_schema.tables"
    " where table_schema = 'main' and table_type = 'BASE TABLE' order by 1"
)
Ask = Callable[[str], Any]


def tables_of(path: Path) -> dict[str, Table]:
    """All tables by name; none if there is no such file, or no database in it."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return {}
        with tempfile.TemporaryDirectory(dir=path.parent.parent) as folder:
            for ending in BESIDE:
                beside = path.with_name(path.name + ending)
                if beside.is_file() and beside.stat().st_size <= LARGEST:
                    shutil.copyfile(beside, Path(folder) / beside.name)
            return read(Path(folder) / path.name)
    except Exception:
        return {}


def read(path: Path) -> dict[str, Table]:
    """The tables of a database that nobody else has open. Raises anything."""
    head = path.read_bytes()[:16]
    if head.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as opened:
            return {t: table(opened.execute, t) for t in names(opened.execute, SQLITE_TABLES)}
    if head[8:12] == b"DUCK":
        with duckdb.connect(str(path), config={"threads": "1"}) as connection:
            ask = connection.execute
            return {t: table(ask, t) for t in names(ask, DUCKDB_TABLES)}
    return {}


def names(ask: Ask, query: str) -> list[str]:
    """The names of all tables."""
    return [str(name) for (name,) in ask(query).fetchmany(MOST_TABLES)]


def table(ask: Ask, name: str) -> Table:
    """One table with its first rows."""
    quoted = '"' + name.replace('"', '""') + '"'
    (total,) = ask(f"select count(*) from {quoted}").fetchone()
    found = ask(f"select * from {quoted} limit {MOST_ROWS}")
    columns = [facts.cut(str(column[0]), 100) for column in found.description][:MOST_COLUMNS]
    rows = [[plain(v) for v in row[:MOST_COLUMNS]] for row in found.fetchall()]
    return Table(columns=columns, rows=rows, total=int(total))


def plain(value: Any) -> Any:
    """A cell as JSON: numbers, texts, true, false, null; times in ISO 8601."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, bytes):
        return value[:500].hex()
    return facts.cut(str(value), 500)
