"""Where reads come from: the truth, or a copy of it that has stopped, like a replica that lags behind."""

from worker.sandbox.clock import NS, Clock
from worker.sandbox.store import Store


class Reads:
    """GETs see the world as it was when it was frozen, until that is over. Writes go to the truth."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._truth = store
        self._clock = clock
        self._frozen: Store | None = None
        self._frozen_ns = 0
        self._until_ns = 0

    def freeze(self, seconds: float) -> None:
        """Let every GET see the world as it is now, for some seconds of sandbox time."""
        self.thaw()
        self._frozen = self._truth.snapshot()
        self._frozen_ns = self._clock.now_ns()
        self._until_ns = self._frozen_ns + round(seconds * NS)

    def thaw(self) -> None:
        """Let GETs see the truth again."""
        if self._frozen is not None:
            self._frozen.close()
            self._frozen = None

    @property
    def store(self) -> Store:
        """What a GET reads."""
        if self._frozen is not None and self._clock.now_ns() >= self._until_ns:
            self.thaw()
        return self._frozen or self._truth

    @property
    def now_ns(self) -> int:
        """The moment that a GET sees."""
        return self._clock.now_ns() if self.store is self._truth else self._frozen_ns
