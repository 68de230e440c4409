"""What a file does when it is loaded, besides making DAGs, is noted."""

from __future__ import annotations

from probing import Probe, Seen, loaded, source

from grader.transcript import Loading

BUSY = source(
    "...",
    before="""
    import json, socket, sqlite3, subprocess, tempfile
    from pathlib import Path

    HERE = Path(__file__).parent
    rows = (HERE / "probe.py").read_text()
    time.sleep(90)
    subprocess.run(["echo", "model"], check=True)
    os.system("true")
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError:
        pass
    (HERE / "note.txt").write_text("x")
    os.close(os.open("work.txt", os.O_CREAT | os.O_WRONLY))
    os.remove("work.txt")
    for n in range(200):
        open(f"/dev/null", "w").close()
    """,
)
CALM = source(
    """
    @task
    def work():
        open("note.txt", "w").write("x")
        time.sleep(600)

    work()
    """,
    before="import csv, json, decimal\n",
)
PROBES = {"busy": Probe(BUSY, (loaded(),)), "calm": Probe(CALM)}


def test_what_is_touched_is_noted_in_its_order(seen: Seen) -> None:
    loading = seen("busy").loading
    assert 89 < loading.slept < 92
    assert loading.touched == [
        "run echo model",
        "run true",
        "connect 127.0.0.1:9",
        "write part/note.txt",
        "write work.txt",
        "remove work.txt",
    ]


def test_reading_and_importing_is_no_work_nor_is_what_a_task_does(seen: Seen) -> None:
    assert seen("calm").loading == Loading()
    assert seen.run("calm").state == "success"
