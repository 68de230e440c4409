"""Virtual time: sleeping costs nothing and the clock shows as if it had been slept.

It must not decide how long anything takes: whoever sleeps says so, and a running
`execution_timeout` cuts the sleep short as it would in real time.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType

import time_machine

real_sleep = time.sleep
real_monotonic = time.monotonic
real_perf_counter = time.perf_counter
real_asyncio_sleep = asyncio.sleep

TURNS, PATIENCE = 100, 20
NextDue = Callable[[FrameType], datetime | None]


class VirtualClock:
    """Moves `datetime`, `time.time`, `time.monotonic`, `time.perf_counter`, `time.sleep` and
    `asyncio.sleep`.

    `scheduler` is the code of `DAG.test`, which naps a second at a time while tasks wait for a
    retry; `next_due` tells from its frame when the next one is due, so that it naps once.
    `before_waiting` is called before each such nap. `slept` counts the seconds that were slept.
    """

    def __init__(self, start: datetime, scheduler: object, next_due: NextDue):
        self._scheduler, self._next_due = scheduler, next_due
        self._ahead = 0.0
        self.before_waiting: Callable[[], None] = lambda: None
        self._wakes: list[float] = []
        self._lock = threading.Lock()
        self._traveller = time_machine.travel(start.timestamp(), tick=True).start()
        time.sleep = self.sleep  # type: ignore[assignment]
        time.monotonic = self.monotonic
        time.perf_counter = self.perf_counter
        asyncio.sleep = self.asyncio_sleep  # type: ignore[assignment]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return real_monotonic() + self._ahead

    def perf_counter(self) -> float:
        return real_perf_counter() + self._ahead

    @property
    def slept(self) -> float:
        return self._ahead

    def move_to(self, moment: datetime) -> None:
        """Go forward to `moment`; never back."""
        seconds = (moment - self.now()).total_seconds()
        if seconds > 0:
            self._advance(seconds)

    @contextlib.contextmanager
    def turned_to(self, moment: datetime) -> Iterator[None]:
        """Have the time of day be `moment`, also an earlier one; clocks that only measure go on."""
        seconds = (moment - self.now()).total_seconds()
        self._traveller.shift(seconds)
        try:
            yield
        finally:
            self._traveller.shift(-seconds)

    def sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        caller = sys._getframe(1)
        if caller.f_code is self._scheduler:
            due = self._next_due(caller)
            self.before_waiting()
            if due is not None:
                seconds = max((due - self.now()).total_seconds(), 0.001)
        self._sleep(seconds, caller)

    async def asyncio_sleep(self, delay: float, result: object = None) -> object:
        """Who sleeps beside it, and wakes earlier, goes first; so does a timeout of the loop."""
        if delay <= 0 or threading.current_thread() is not threading.main_thread():
            return await real_asyncio_sleep(delay, result)
        caller, loop = sys._getframe(1), asyncio.get_running_loop()
        with self._asleep(delay) as wakes:
            await self._until_all_wait(loop)
            while self.monotonic() < wakes:
                timers = getattr(loop, "_scheduled", ())
                alarms = [t.when() for t in timers if not t.cancelled()]
                self._sleep(max(min([*self._wakes, *alarms]) - self.monotonic(), 0), caller)
                await self._until_all_wait(loop)
        return result

    async def _until_all_wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the others run until they sleep too; not for ever, since one may only spin."""
        for _ in range(TURNS):
            await real_asyncio_sleep(0)
            if len(getattr(loop, "_ready", ())) < len(self._wakes):
                return

    @contextlib.contextmanager
    def _asleep(self, seconds: float) -> Iterator[float]:
        """Note when somebody wakes who sleeps beside others."""
        wakes = self.monotonic() + seconds
        self._wakes.append(wakes)
        try:
            yield wakes
        finally:
            self._wakes.remove(wakes)

    def _sleep_in_a_thread(self, seconds: float) -> None:
        waited = 0
        with self._asleep(seconds) as wakes:
            while self.monotonic() < wakes:
                real_sleep(min(seconds, 0.005))  # others may be about to sleep, or to wake
                with self._lock:
                    now = self.monotonic()
                    waited = waited + 1 if min(self._wakes) <= now else 0
                    if not 0 < waited < PATIENCE:
                        self._advance(min((w for w in self._wakes if w > now), default=now) - now)

    def _sleep(self, seconds: float, caller: FrameType) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._sleep_in_a_thread(seconds)
            return
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        if left and left <= seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._advance(left)
            handler = signal.getsignal(signal.SIGALRM)
            if callable(handler):
                handler(signal.SIGALRM, caller)
            return
        if left:
            signal.setitimer(signal.ITIMER_REAL, left - seconds)
        self._advance(seconds)

    def _advance(self, seconds: float) -> None:
        self._ahead += seconds
        self._traveller.shift(seconds)
