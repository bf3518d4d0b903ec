"""Thirty-two sessions propose against one account while workers carry, answers come in and the mirror moves.

Each symbol has one price and one side, so that an order is worth the same wherever it stands: approved, in
doubt, open, filled in part or booked. A verdict that counts anything twice, or not at all, differs from that
of the oracle, which judges the same decisions one after the other and knows of no database.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from tests.races.broker import Broker, Wire, work
from tests.races.scene import PATIENCE_S, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.races.scene import Scene

SESSIONS = 32
BATCHES = 3
WORKERS = 2
ROUNDS = 2
PRICES = {f"S{number:02}": Decimal("20.01") + number * Decimal("7.13") for number in range(12)}
STRATEGIES = ["fast", "slow"]
# Reached in the first round, so that nearly every verdict is near an edge.
LIMITS: list[tuple[str, Decimal, str | None]] = [
    ("open_orders", Decimal(30), None),
    ("open_orders", Decimal(16), "slow"),
    ("notional_a_day", Decimal("10500.37"), "fast"),
    ("gross_exposure", Decimal("20000.73"), None),
    ("gross_exposure", Decimal("9500.11"), "slow"),
]
SETTINGS = {
    "max_in_doubt": 1000,
    "max_decision_age": "1 day",
    "lookup_first_wait": "1 millisecond",
    "lookup_max_wait": "5 milliseconds",
    "crowd_lookup_wait": "5 milliseconds",
    "backoff_first": "1 millisecond",
    "backoff_max": "5 milliseconds",
}
TICK = "select test_support.advance_clock('5 milliseconds')"
PROPOSE = "select p.status from orderlatch.propose_decisions('paper', %s) as p order by p.input_no"
# In the order in which they were judged: of one batch the events of what is rejected come last.
VERDICTS = """
select d.decision_id, d.strategy_id, d.symbol, d.qty, v.reasons from orderlatch_data.decision_events as e
join orderlatch_data.risk_verdicts as v on v.decision_id = e.decision_id
join orderlatch_data.trade_decisions as d on d.decision_id = e.decision_id
where e.from_status = 'planned' order by d.decision_id
"""
COUNTED = "select v.limits, v.inputs from orderlatch_data.risk_verdicts as v where v.decision_id = %s"
ORDERS = """
select b.decision_id, b.broker_order_id, b.symbol, b.side, b.qty, b.filled_qty
from orderlatch_data.broker_orders as b where b.is_open order by b.order_no
"""
UNSENT = """
select count(*) from orderlatch_data.open_decisions as o
where o.status in ('approved', 'submitting', 'in_doubt')
"""
SHOW = """
select orderlatch_data.lock_account('answering', test.account_id()),
  orderlatch_data.take_orders(test.account_id(), jsonb_build_array(
    %s::jsonb || jsonb_build_object('updated_at', orderlatch_data.clock())), null, true)
"""
FILL = """
select orderlatch_data.lock_account('answering', test.account_id()),
  test.take_fills(jsonb_build_array(%s::jsonb))
"""


def side(symbol: str) -> str:
    """Even symbols are bought, odd ones sold short."""
    return "sell" if int(symbol[1:]) % 2 else "buy"


@dataclass(frozen=True, slots=True)
class Order:
    """What the oracle knows of an approved decision."""

    strategy: str
    symbol: str
    qty: Decimal


@dataclass(slots=True)
class Oracle:
    """Judges one decision after the other, and is told how orders ended."""

    alive: dict[int, Order] = field(default_factory=dict)
    filled: dict[int, Order] = field(default_factory=dict)

    def counted(self, kind: str, strategy: str | None) -> Decimal:
        """What a limit counts now."""
        live = [order for order in self.alive.values() if strategy in (None, order.strategy)]
        if kind == "open_orders":
            return Decimal(len(live))
        done = [order for order in self.filled.values() if strategy in (None, order.strategy)]
        return sum((order.qty * PRICES[order.symbol] for order in live + done), Decimal(0))

    def judge(self, decision_id: int, order: Order) -> list[str]:
        """The reasons against a decision; without any it counts from now on."""
        adds = {"open_orders": Decimal(1)}
        reasons = {
            kind
            for kind, ceiling, strategy in LIMITS
            if strategy in (None, order.strategy)
            and self.counted(kind, strategy) + adds.get(kind, order.qty * PRICES[order.symbol]) > ceiling
        }
        if not reasons:
            self.alive[decision_id] = order
        return sorted(reasons)

    def end(self, decision_id: int, filled: Decimal) -> None:
        """The order is open no more; what it did not fill is given back."""
        order = self.alive.pop(decision_id)
        self.filled[decision_id] = Order(order.strategy, order.symbol, filled)


def a_batch(random: Random, session: int, number: int) -> Iterator[dict[str, object]]:
    """A few decisions, large and small."""
    for place in range(random.randint(1, 5)):
        symbol = random.choice(list(PRICES))
        yield {
            "strategy_id": random.choice(STRATEGIES),
            "symbol": symbol,
            "timeframe": "1m",
            "event_ts": "2026-03-02T14:30:00Z",
            "leg": f"{session}-{number}-{place}",
            "action": side(symbol),
            "qty": str(random.choice([1, 2, 3, 7, 20])),
            "order_type": "limit",
            "limit_price": str(PRICES[symbol]),
        }


class Patient(Session):
    """A session that tries again where it has waited too long for a lock, however slow the machine."""

    def rows(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        while True:
            try:
                return super().rows(query, *arguments)
            except psycopg.Error as error:
                if error.sqlstate not in {"OL201", "OL202"}:
                    raise


def propose(session: Session, seed: int) -> int:
    """Propose batch after batch; how many decisions were approved."""
    random, approved = Random(seed), 0
    for number in range(BATCHES):
        statuses = session.rows(PROPOSE, Jsonb(list(a_batch(random, seed, number))))
        approved += statuses.count(("approved",))
    return approved


@dataclass(slots=True)
class Others:
    """Those who carry and move while thirty-two propose."""

    scene: Scene
    broker: Broker
    over: threading.Event = field(default_factory=threading.Event)
    carried: threading.Event = field(default_factory=threading.Event)
    moved: threading.Event = field(default_factory=threading.Event)

    def carry(self, worker: int, seed: int) -> None:
        """Carry whatever is granted; every third answer is lost and has to be looked up."""
        wire, session = Wire(Random(seed), unsent=0, unheard=0.33), Patient(self.scene.connect())
        while not self.over.is_set():
            if work(session, worker, ["paper"], self.broker, wire):
                self.carried.set()
            session.rows(TICK)

    def move(self, seed: int) -> None:
        """Fill orders by and by, never wholly; what is filled is shown and booked in either order."""
        random, session = Random(seed), Patient(self.scene.connect())
        while not self.over.is_set():
            orders = [order for order in session.rows(ORDERS) if int(str(order[5])) + 1 < int(str(order[4]))]
            if orders:
                steps = fill(session, random.choice(orders), 1)
                for step in random.sample(steps, len(steps)):
                    step()
                self.moved.set()


def fill(
    session: Session, order: tuple[object, ...], qty: int, status: str = "partially_filled"
) -> list[Callable[[], object]]:
    """What shows some more of an order as filled, and what books it."""
    _, order_id, symbol, which, size, before = order
    after = int(str(before)) + qty
    price = str(PRICES[str(symbol)])
    common = {"symbol": symbol, "side": which}
    document = common | {
        "id": order_id,
        "qty": str(size),
        "type": "limit",
        "status": status,
        "filled_qty": str(after),
        "filled_avg_price": price,
        "submitted_at": "2026-03-02T15:00:00Z",
    }
    activity = common | {
        "id": f"a::{order_id}-{after}",
        "activity_type": "FILL",
        "type": "fill",
        "order_id": order_id,
        "transaction_time": "2026-03-02T15:00:00Z",
        "qty": str(qty),
        "price": price,
    }
    return [
        lambda: session.rows(SHOW, Jsonb(document)),
        lambda: session.rows(FILL, Jsonb(activity)) if qty else None,
    ]


def at_once(scene: Scene, workers: list[int], broker: Broker, lap: int) -> int:
    """One round: everybody does what they do until all is proposed. How many were approved."""
    others = Others(scene, broker)
    sessions = [Patient(scene.connect()) for _ in range(SESSIONS)]
    with ThreadPoolExecutor(SESSIONS + 2 * WORKERS) as pool:
        busy = [pool.submit(others.carry, worker, lap * 100 + worker) for worker in workers]
        busy += [pool.submit(others.move, lap * 100 + number) for number in range(WORKERS)]
        try:
            proposing = [pool.submit(propose, s, lap * 1000 + seed) for seed, s in enumerate(sessions)]
            approved = sum(future.result() for future in proposing)
            # a round in which nothing else happened would prove nothing
            assert others.carried.wait(PATIENCE_S)
            assert others.moved.wait(PATIENCE_S)
        finally:
            others.over.set()
            for future in busy:
                future.result()
    return approved


def settle(scene: Scene, worker: int, broker: Broker) -> None:
    """Carry what is left, until nothing is on its way."""
    while scene.ground.number(UNSENT) > 0:
        work(scene.ground, worker, ["paper"], broker, Wire(Random(0), unsent=0, unheard=0))
        scene.ground.rows(TICK)


def end_some(scene: Scene, oracle: Oracle, seed: int) -> int:
    """Cancel a third of the open orders as they are, and fill a third to the end."""
    random, ended = Random(seed), 0
    for order in scene.ground.rows(ORDERS):
        decision_id, left = int(str(order[0])), int(str(order[4])) - int(str(order[5]))
        match random.randrange(3):
            case 0:
                steps, filled = fill(scene.ground, order, 0, "canceled"), order[5]
            case 1:
                steps, filled = fill(scene.ground, order, left, "filled"), order[4]
            case _:
                continue
        for step in random.sample(steps, len(steps)):
            step()
        oracle.end(decision_id, Decimal(str(filled)))
        ended += 1
    return ended


def test_sums_are_exact_under_fire(scene: Scene) -> None:
    # noon in New York: the day does not end meanwhile
    scene.ground.rows("select test_support.hold_clock('2026-03-02 17:00:00Z')")
    scene.ground.rows("select orderlatch.update_account('paper', %s)", Jsonb(SETTINGS))
    for kind, ceiling, strategy in LIMITS:
        scene.ground.rows("select orderlatch.set_limit(%s, %s, 'paper', %s::text)", kind, ceiling, strategy)
    workers = [scene.ground.number("select test.given_worker()") for _ in range(WORKERS)]
    broker, oracle, judged = Broker(), Oracle(), 0
    reasons_seen: set[str] = set()
    for lap in range(1, ROUNDS + 1):
        assert at_once(scene, workers, broker, lap) > 0
        verdicts = scene.ground.rows(VERDICTS)[judged:]
        judged += len(verdicts)
        assert len(verdicts) > SESSIONS * BATCHES
        for decision_id, strategy_id, symbol, qty, reasons in verdicts:
            order = Order(str(strategy_id), str(symbol), Decimal(str(qty)))
            expected = oracle.judge(int(str(decision_id)), order)
            assert reasons == expected, (
                f"verdict on decision {decision_id} of {order} in lap {lap}: "
                f"{scene.ground.rows(COUNTED, decision_id)}, alive are {sorted(oracle.alive)}"
            )
            reasons_seen.update(expected)
        assert all(oracle.counted(kind, strategy) <= ceiling for kind, ceiling, strategy in LIMITS)
        settle(scene, workers[0], broker)
        assert end_some(scene, oracle, lap) > 0
    # which of them are met first depends on who is faster
    assert reasons_seen
    assert reasons_seen <= {kind for kind, _, _ in LIMITS}
    assert set(broker.posts.values()) == {1}
