"""Ends processes, with all that they started and left.

Linux hands orphans to the process that asked for them (subreaper), so that nothing a submission
leaves behind survives; elsewhere only its process group and known descendants can be ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Have orphans of this process tree handed to this process (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_everything(keep_alive: frozenset[int] = frozenset()) -> int:
    """Kill every descendant, also what was started while killing. Returns how many there were.

    Stopping all of them first keeps a fork bomb from outrunning the killing.
    """
    me, seen = psutil.Process(), 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        reap()
        living = [p for p in descendants(me, keep_alive) if alive(p)]
        if not living:
            return seen
        seen = max(seen, len(living))
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in living:
                try:
                    process.send_signal(number)
                except (psutil.Error, OSError):
                    continue
        time.sleep(0.002)
    return seen


def descendants(me: psutil.Process, keep_alive: frozenset[int]) -> list[psutil.Process]:
    """All processes below `me`, but for the children in `keep_alive` and what is below those."""
    found: list[psutil.Process] = []
    for child in me.children():
        if child.pid not in keep_alive:
            found.append(child)
            try:
                found.extend(child.children(recursive=True))
            except psutil.Error:
                continue
    return found


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs code."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def reap() -> None:
    """Collect the dead among our children."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
