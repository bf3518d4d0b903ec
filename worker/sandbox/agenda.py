"""What falls due later, in the order of its time. There are no timers: somebody asks what is due by now."""

import heapq
from collections.abc import Callable, Iterable

Entry = tuple[int, str, str]  # when, what, to which order or call


class Agenda:
    """A heap over what the tables say; an entry that was overtaken is still in it and is ignored."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.stirred: Callable[[], None] = _ignore
        self.start_with(entries)

    def start_with(self, entries: Iterable[Entry]) -> None:
        """Forget everything but these."""
        self._heap = list(entries)
        heapq.heapify(self._heap)

    def add(self, due_ns: int, what: str, subject: str) -> None:
        """Let something fall due."""
        heapq.heappush(self._heap, (due_ns, what, subject))
        self.stirred()

    def next_ns(self) -> int | None:
        """When the next thing falls due."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now_ns: int) -> Entry | None:
        """The first of what is due by now."""
        if not self._heap or self._heap[0][0] > now_ns:
            return None
        return heapq.heappop(self._heap)


def _ignore() -> None:
    """Nobody waits."""
