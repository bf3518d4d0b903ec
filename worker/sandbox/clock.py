"""The sandbox's own time: it flows like the machine's, and tests may push it forward or hold it still."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

NS = 1_000_000_000


class Clock:
    """Time in nanoseconds since 1970. Never runs backwards, whatever happens to the machine's clock."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def now_ns(self) -> int:
        """What time it is in the sandbox."""
        return time.monotonic_ns() + self._offset

    def advance(self, seconds: float) -> None:
        """Push time forward and wake who has slept enough. Safe from any thread."""
        self._offset += round(seconds * NS)
        for loop, woken in tuple(self._sleepers):
            loop.call_soon_threadsafe(woken.set)

    async def sleep(self, seconds: float) -> None:
        """Return when the sandbox's time has moved on by that much."""
        await self.sleep_until(self.now_ns() + round(seconds * NS))

    async def sleep_until(self, until: int) -> None:
        """Return when the sandbox's time has come to that point, in nanoseconds since 1970."""
        while (left := until - self.now_ns()) > 0:
            sleeper = (asyncio.get_running_loop(), asyncio.Event())
            self._sleepers.add(sleeper)
            try:
                async with asyncio.timeout(self._real_seconds(left)):
                    # Time may have moved between the look at the clock and the entry into the set.
                    if until > self.now_ns():
                        await sleeper[1].wait()
            except TimeoutError:
                pass
            finally:
                self._sleepers.discard(sleeper)

    @contextlib.contextmanager
    def alarm(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever time is pushed forward; others may set it too."""
        alarm = (asyncio.get_running_loop(), asyncio.Event())
        self._sleepers.add(alarm)
        try:
            yield alarm[1]
        finally:
            self._sleepers.discard(alarm)

    async def wait_for(self, alarm: asyncio.Event, until: int | None) -> None:
        """Return when an alarm is set, or when time may have come to a point."""
        left = None if until is None else self._real_seconds(max(0, until - self.now_ns()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await alarm.wait()

    def _real_seconds(self, sandbox_ns: int) -> float | None:
        return sandbox_ns / NS


class ManualClock(Clock):
    """A clock that stands still until a test advances it: equal time stamps and exact delays."""

    def __init__(self, start_ns: int = 1_791_471_600 * NS) -> None:
        super().__init__()
        self._offset = start_ns

    def now_ns(self) -> int:
        """What time the test has made it."""
        return self._offset

    def _real_seconds(self, sandbox_ns: int) -> float | None:  # noqa: ARG002 (no stretch of real time will do)
        return None
