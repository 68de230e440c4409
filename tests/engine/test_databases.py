"""The tables of a database are read after each run, from a copy, whatever state it is left in."""

from __future__ import annotations

from datetime import timedelta

from probing import DAY, Probe, Seen, ran, source

from grader.transcript import Table

DUCKDB = source(
    """
    @task
    def store(ds=None):
        connection = duckdb.connect("shop/features.duckdb")
        connection.execute("create table if not exists eggs (day date, n integer, price double)")
        connection.execute("insert into eggs values (?, 3, 'nan'), (?, null, 0.5)", [ds, ds])
        connection.execute("create view twice as select 2 * n from eggs")
        if ds == "2024-03-05":
            keep.append(connection)  # not closed, so that it is still in the write-ahead log
        else:
            connection.close()

    store()
    """,
    before="""
    import duckdb

    os.makedirs("shop", exist_ok=True)
    keep = []
    """,
)
SQLITE = source(
    """
    @task
    def store():
        for name in ("open.db", "closed.db"):
            connection = sqlite3.connect(name)
            connection.execute("create table 'two words' (a, b)")
            connection.execute("insert into 'two words' values (1, ?)", [b"\\x00\\x01"])
            connection.commit()
            connection.execute("insert into 'two words' values (2, 'not committed')")
            keep.append(connection)
        connection.close()
        big = sqlite3.connect("big.db")
        big.execute("create table t (n)")
        big.executemany("insert into t values (?)", ((n,) for n in range(3000)))
        big.commit()

    store()
    """,
    before="""
    import sqlite3

    keep = []
    """,
)
ODD = source(
    """
    @task
    def odd():
        open("text.db", "w").write("no database")
        open("broken.db", "wb").write(b"SQLite format 3\\0" + b"x" * 500)
        open("duck.db", "wb").write(b"x" * 8 + b"DUCK" + b"x" * 500)
        os.mkdir("folder.db")
        os.symlink("/etc/passwd", "link.db")
        os.mkfifo("pipe.db")

    odd()
    """
)
ODD_NAMES = tuple(f"{n}.db" for n in ("text", "broken", "duck", "folder", "link", "pipe", "none"))
PROBES = {
    "duckdb": Probe(
        DUCKDB, (ran("run", DAY, DAY + timedelta(days=1), databases=("shop/features.duckdb",)),)
    ),
    "sqlite": Probe(SQLITE, (ran(databases=("open.db", "closed.db", "big.db")),)),
    "odd": Probe(ODD, (ran(databases=ODD_NAMES),)),
}


def test_tables_are_as_they_were_after_each_run(seen: Seen) -> None:
    transcript = seen("duckdb")
    assert transcript.breach is None
    first, second = (run.databases["shop/features.duckdb"]["eggs"] for run in transcript.runs)
    assert first.columns == ["day", "n", "price"]
    assert first.rows == [["2024-03-05", 3, "nan"], ["2024-03-05", None, 0.5]]
    assert (first.total, second.total) == (2, 4)
    assert [run.state for run in transcript.runs] == ["success", "failed"]  # the view was there


def test_only_tables_are_told(seen: Seen) -> None:
    assert list(seen("duckdb").runs[0].databases["shop/features.duckdb"]) == ["eggs"]


def test_what_is_not_committed_is_not_there(seen: Seen) -> None:
    found = seen.run("sqlite").databases
    wanted = Table(columns=["a", "b"], rows=[[1, "0001"]], total=1)
    assert found["open.db"] == found["closed.db"] == {"two words": wanted}


def test_many_rows_are_counted_and_cut(seen: Seen) -> None:
    table = seen.run("sqlite").databases["big.db"]["t"]
    assert (table.total, len(table.rows)) == (3000, 2000)


def test_what_is_no_database_has_no_tables(seen: Seen) -> None:
    assert seen.run("odd").databases == {name: {} for name in ODD_NAMES}
    assert [f.path for f in seen("odd").files] == ["broken.db", "duck.db", "text.db"]
