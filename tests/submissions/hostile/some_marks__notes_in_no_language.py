"""Right tries; the notes are deep, long, coloured, and of half a character."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# message: The events in the notes

import json
import pathlib
import tempfile

NASTY = "\ud800[bold red]\x1b[31m\u202e"


def notify(context):
    """Write lines that are JSON, and little else."""
    notes = pathlib.Path(tempfile.gettempdir(), "heron/failure_test_pipeline/on_call.jsonl")
    notes.parent.mkdir(parents=True, exist_ok=True)
    with notes.open("a") as file:
        file.write("[" * 100_000 + "\n")
        file.write('{"event": ' + "9" * 5_000 + "}\n")
        file.write('{"event": ' + "[" * 900 + "]" * 900 + "}\n")
        for number in range(2_000):
            file.write(json.dumps({"event": f"{NASTY}{number}"}) + "\n")
