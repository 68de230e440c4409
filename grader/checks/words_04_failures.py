"""The words that the checks of part 04 share: tries, notes and endings.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

from grader.judge import NotChecked, Observation, expect
from grader.judge.view import TaskView, moment

FLAKY, CLOSE = "sometimes_fails", "close_session"
CALLBACK = re.compile(r"Failed to run task callback.*", re.DOTALL)
FRAME = re.compile(r'failure_test_pipeline\.py", line (\d{1,6}), in (\w+)')
RAISED = re.compile(r"^(\w+): (.*)$", re.MULTILINE)


def must_have_tried(task: TaskView, count: int) -> None:
    """The task is written, and was repeated often enough for a check of something else."""
    if not task.ran:
        raise NotChecked(f"`{FLAKY}` was never started; it was left as {task.state}.")
    task.must_be_done(2)
    if len(task.tries) < count:
        raise NotChecked("not checked because section 1 comes first")


def ended(task: TaskView) -> str:
    """How a task ended, for a sentence."""
    raised = f" with {task.error.type}: {task.error.message}" if task.error else ""
    return f"ended as {task.state}{raised}"


def failing(seen: Observation) -> list[Any]:
    """All tries that failed, in the order in which they ended."""
    found = [t for t in seen.run.data.tries if t.state in ("up_for_retry", "failed")]
    return sorted(found, key=lambda one: moment(one.end or one.start))


def notes(seen: Observation) -> list[dict[str, Any]]:
    """The lines of the on-call file that hold a dict."""
    found = []
    for file in seen.transcript.files:
        for line in (file.text or "").splitlines() if file.path.endswith("on_call.jsonl") else ():
            try:
                note = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(note, dict):
                found.append(note)
    return found


def callbacks_must_not_raise(seen: Observation) -> None:
    """Airflow logs what a callback raises, and goes on as if nothing had happened."""
    for one in failing(seen):
        logged = CALLBACK.search(one.output)
        raised = RAISED.findall(logged[0]) if logged else []
        if not logged or not raised:
            continue
        kind, text = raised[-1]
        what = "was to be tried again" if one.state == "up_for_retry" else "failed for good"
        story = f"`{one.task_id}` {what}, and the callback itself raised {kind}: {text}"
        if kind == "NotImplementedError":
            advice = "TODO 3 is open. Replace the `raise` line, save, and grade again."
        elif "JSON" in text:
            advice = "A note takes what JSON knows, so an error goes in as a text: `str(error)`."
        elif "argument" in text:
            advice = "Airflow calls it with one argument: the context, which is a dict."
        else:
            advice = "It needs `context['ti']`, which has attributes, and `context['exception']`."
        lines = [int(n) for n, name in FRAME.findall(logged[0]) if name != "write_note"]
        expect(
            False,
            happened=story,
            expected=f"The callback writes its note. {advice} What a callback raises stands in the "
            "log of the task and nowhere else.",
            at=SimpleNamespace(line=lines[-1] if lines else None),
        )
