"""Right tries; the callback removes the notes, and all else in the scenario's folder."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# message: there are no notes

import pathlib
import shutil
import tempfile


def notify(context):
    """Write a note, then take away the place in which it lies."""
    work = pathlib.Path(tempfile.gettempdir())
    notes = work / "heron/failure_test_pipeline/on_call.jsonl"
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text('{"event": "retry"}')
    for path in work.parent.rglob("*.jsonl"):
        path.unlink()
    shutil.rmtree(work, ignore_errors=True)
