"""One session in a process of its own: reads an order, marks part after part, writes a line each.

Whatever a submission does to this process, other sessions do not feel it. It must not know whose
files these are.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from grader.api import Grader
from grader.judge.record import PartResult
from grader.observe.sandbox import LOCKS, Kind
from grader.observe.worker_client import EnvironmentProblem

ENVIRONMENT = 3


class Order(BaseModel):
    """What to mark: the parts (slugs) of the submission in a folder, one after the other."""

    model_config = ConfigDict(extra="forbid")
    submission: Path
    home: Path
    parts: list[str]
    seed: int
    sandbox: Kind
    jobs: int


class Line(BaseModel):
    """The mark of one part, and the real seconds that it took."""

    model_config = ConfigDict(extra="forbid")
    part: str
    seconds: float
    result: PartResult


def main() -> None:
    """Read the order from standard input. It ends when that is closed, or on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever ordered this says when it ends
    order = Order.model_validate_json(sys.stdin.readline())
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    lock = LOCKS[order.sandbox]
    with Grader(jobs=order.jobs, cache=False, home=order.home, lock=lock) as grader:
        for part in order.parts:
            started = time.monotonic()
            try:
                record = grader.grade(order.submission, [part], seed=order.seed)
            except EnvironmentProblem as problem:
                print(problem, file=sys.stderr)
                sys.exit(ENVIRONMENT)
            seconds = round(time.monotonic() - started, 2)
            line = Line(part=part, seconds=seconds, result=record.parts[0])
            sys.stdout.write(line.model_dump_json() + "\n")
            sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends by itself now, and tidies up


def end_with_standard_input() -> None:
    """Nobody waits for the marks any more."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
