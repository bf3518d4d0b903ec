"""The hub of the trade_updates stream: from what the ledger tells to what each socket gets.

Messages of a transaction leave only after its commit, and by themselves only after the response of the call
that caused them. Nothing is stored: who does not listen misses it for good, as at Alpaca.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from worker.sandbox.bodies import garbage
from worker.sandbox.clock import NS, Clock
from worker.sandbox.model import Order, Update
from worker.sandbox.shown import update_json
from worker.sandbox.store import Store
from worker.sandbox.stream_faults import (
    Alter,
    Disconnect,
    Drop,
    Duplicate,
    Early,
    Garbage,
    Late,
    Overtaken,
    StreamAction,
)
from worker.sandbox.traps import Bell, Faults
from worker.sandbox.values import Json, to_json


@dataclass(frozen=True, slots=True)
class Frame:
    """What goes out to the listening sockets of an account."""

    account: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """The sockets of an account end here: 'reset' or 'close'. Without an account all sockets do."""

    account: str | None
    how: str


Item = Frame | Cut


class Socket(Protocol):
    """One connection, as far as the hub cares."""

    def put(self, item: Item) -> None:
        """Send an item after all that was put before."""

    async def drained(self) -> None:
        """Return when everything that was put is on its way."""

    def shown(self) -> dict[str, Json]:
        """Whose it is, and what it got."""
        ...


@dataclass(slots=True)
class _Overtaken:
    """A message that waits for later ones to go first."""

    item: Item
    still: int


class Hub:
    """Who listens, what is on its way to them, and what faults make of it."""

    def __init__(self, store: Store, clock: Clock, faults: Faults[Update, StreamAction]) -> None:
        self.faults = faults
        self.bell = Bell()
        self.sockets: list[Socket] = []
        self._listening: dict[str, list[Socket]] = {}  # by account
        self.unplugged_until_ns = 0
        self._store = store
        self._clock = clock
        self._told: list[tuple[Update, Sequence[Order]]] = []  # in the transaction that is under way
        self._outbox: list[Item] = []
        self._later: list[tuple[int, int, Item]] = []
        self._numbers = itertools.count()
        self._overtaken: dict[str, list[_Overtaken]] = {}
        self._is_early = False
        self.stirred: Callable[[], None] = lambda: None
        store.committed = self._publish
        store.rolled_back = self._told.clear

    # What comes in

    def tell(self, update: Update) -> None:
        """Something happened to an order, if the transaction lasts."""
        if update.order.account in self._listening:
            group = update.order.order_class
            self._told.append((update, self._store.orders.legs(update.order.id) if group else ()))

    def put(self, item: Item) -> None:
        """Let something go out that nothing in the book caused."""
        self._outbox.append(item)

    def join(self, socket: Socket) -> None:
        """A socket has come."""
        self.sockets.append(socket)
        self.bell.ring()

    def leave(self, socket: Socket) -> None:
        """A socket has gone."""
        self.sockets.remove(socket)
        self.listen(socket, None)

    def listen(self, socket: Socket, account: str | None) -> None:
        """A socket wants the updates of an account from now on, or none."""
        for name, listeners in tuple(self._listening.items()):
            if socket in listeners:
                listeners.remove(socket)
                if not listeners:
                    del self._listening[name]
        if account is not None:
            self._listening.setdefault(account, []).append(socket)
        self.bell.ring()

    def listening(self, account: str | None) -> int:
        """How many sockets listen, to one account or to any."""
        if account is not None:
            return len(self._listening.get(account, ()))
        return sum(len(listeners) for listeners in self._listening.values())

    @property
    def is_unplugged(self) -> bool:
        """Whether new sockets are refused."""
        return self._clock.now_ns() < self.unplugged_until_ns

    def unplug(self, seconds: float) -> None:
        """Cut all sockets, and refuse new ones for some seconds of sandbox time."""
        self.unplugged_until_ns = self._clock.now_ns() + round(seconds * NS)
        self.put(Cut(None, "reset"))
        self.flush()

    def forget_everything(self) -> None:
        """Nothing is on its way any more, and nothing is wrong; sockets stay."""
        self.faults.clear()
        self.unplugged_until_ns = 0
        self._outbox.clear()
        self._later.clear()
        self._overtaken.clear()

    # What goes out

    def flush(self) -> None:
        """Send what is to go out by now."""
        now_ns = self._clock.now_ns()
        while self._later and self._later[0][0] <= now_ns:
            self._outbox.append(heapq.heappop(self._later)[2])
        items, self._outbox = self._outbox, []
        for item in items:
            sockets = self.sockets if item.account is None else self._listening.get(item.account, ())
            for socket in tuple(sockets):
                socket.put(item)

    async def flush_what_is_early(self) -> None:
        """Send before the response what a fault wants to be there first."""
        if self._is_early:
            self._is_early = False
            self.flush()
            for socket in tuple(self.sockets):
                await socket.drained()

    def next_ns(self) -> int | None:
        """When the next message goes out that was held back for a time."""
        return self._later[0][0] if self._later else None

    def _publish(self) -> None:
        """The transaction lasted: what it told becomes messages, as far as faults let it."""
        told = tuple(self._told)
        self._told.clear()
        for update, legs in told:
            self._send(update, legs)

    def _send(self, update: Update, legs: Sequence[Order]) -> None:
        account = update.order.account
        message = update_json(update, legs)
        delay_ns, overtaken_by, times = 0, 0, 1
        before: list[Item] = []
        after: list[Item] = []
        for fault in self.faults.fire(update):
            match fault.action:
                case Drop():
                    times = 0
                case Duplicate(count):
                    times = count
                case Late(seconds):
                    delay_ns = round(seconds * NS)
                case Overtaken(count):
                    overtaken_by = count
                case Early():
                    self._is_early = True
                case Disconnect(is_before, how):
                    (before if is_before else after).append(Cut(account, how))
                case Garbage(body, text, instead):
                    before.append(Frame(account, garbage(body, text, to_json(message))))
                    times = 0 if instead else times
                case Alter(data):
                    message = _merged(message, {"data": data})
                case _:
                    assert_never(fault.action)
        self._outbox += before
        for _ in range(times):
            self._route(Frame(account, to_json(message)), delay_ns, overtaken_by)
        self._outbox += after

    def _route(self, frame: Frame, delay_ns: int, overtaken_by: int) -> None:
        if overtaken_by:
            self._overtaken.setdefault(frame.account, []).append(_Overtaken(frame, overtaken_by))
            return
        if delay_ns:
            due_ns = self._clock.now_ns() + delay_ns
            heapq.heappush(self._later, (due_ns, next(self._numbers), frame))
            self.stirred()
            return
        self._outbox.append(frame)
        for held in tuple(self._overtaken.get(frame.account, ())):
            held.still -= 1
            if held.still == 0:
                self._overtaken[frame.account].remove(held)
                self._outbox.append(held.item)


def _merged(value: dict[str, Json], changes: dict[str, Json]) -> dict[str, Json]:
    """A JSON object with some members changed, also in the objects within it."""
    merged = dict(value)
    for name, change in changes.items():
        inner = merged.get(name)
        merged[name] = (
            _merged(inner, change) if isinstance(inner, dict) and isinstance(change, dict) else change
        )
    return merged
