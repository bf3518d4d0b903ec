"""Everybody reads, tells, submits and cancels while a market moves; the mirror ends with what is true."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.races.broker import RECORD, said
from tests.races.market import Market
from tests.races.scene import Scene, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Database
    from tests.support.sessions import Connect

STEPS = 60
# So short that everything that takes time happens within the storm.
SETTINGS = {
    "on_foreign_order": "ignore", "max_in_doubt": 20, "call_timeout": "20 milliseconds",
    "send_within": "20 milliseconds", "answer_grace": "20 milliseconds", "lookup_first_wait": "1 millisecond",
    "lookup_max_wait": "5 milliseconds", "crowd_lookup_wait": "5 milliseconds", "absence_quiet": "0",
    "absence_spacing": "0", "backoff_first": "1 millisecond", "backoff_max": "5 milliseconds",
    "reconcile_every": "1 second", "positions_every": "1 second", "drift_grace": "0",
    "max_decision_age": "1 hour", "rate_limit": 1_000_000, "burst": 500_000,
}  # fmt: skip
CLAIM = """
select c.request_id::text, c.kind, c.path, c.query, c.body
from orderlatch.claim_requests(%s, '{paper}', %s) as c where c.request_id is not null
"""
EXPECTED = {"OL203", "OL304"}
# What the mirror must not say of a world in which nothing went wrong for good.
LASTING = """
select i.incident, i.detail from orderlatch_data.incidents as i
where i.closed_at is null and i.incident in
  ('fill_mismatch', 'position_drift', 'order_vanished', 'duplicate_order', 'decision_lost', 'read_stuck')
"""
ORDERS = """
select b.broker_order_id, b.status, b.filled_qty::integer, b.fills_qty::integer
from orderlatch_data.broker_orders as b
"""
POSITIONS = "select p.symbol, p.qty::integer from orderlatch_data.position_sums as p where p.qty <> 0"
COVERED = "select min(r.covered_at) > %s from orderlatch_data.broker_reads as r where r.purpose <> 'proof'"
TELL = "select orderlatch.record_trade_update(%s, 'paper', %s)"


@dataclass(slots=True)
class Actor:
    """One session of the storm, and its own dice."""

    session: Session
    worker: int
    market: Market
    random: Random
    seen: Counter[str] = field(default_factory=Counter)

    def act(self) -> Counter[str]:
        """Take every step; what was done and what it led to."""
        steps: list[Callable[[], object]] = [
            self.carry,
            self.tell,
            self.propose,
            self.withdraw,
            self.wish,
            self.move,
        ]
        for step in self.random.choices(steps, weights=[8, 3, 1, 1, 1, 4], k=STEPS):
            try:
                step()
            except psycopg.Error as error:
                if error.sqlstate not in EXPECTED:
                    raise
                self.seen[str(error.sqlstate)] += 1
        return self.seen

    def move(self) -> None:
        self.market.move(self.random)

    def carry(self, unheard: float = 0.2) -> int:
        """Claim, carry what is granted, lose some of it, and record the rest in one batch in any order."""
        granted = self.session.rows(CLAIM, self.worker, self.random.randint(1, 8))
        answers = []
        for request_id, kind, path, query, body in granted:
            answer = self.market.call(request_id, kind, path, query, json.loads(str(body)) if body else None)
            lost = self.random.random() < unheard
            answers.append(said(request_id, "maybe") if lost else answer)
        self.random.shuffle(answers)
        if answers:
            self.seen.update(str(meaning) for (meaning,) in self.session.rows(RECORD, Jsonb(answers)))
        return len(answers)

    def tell(self) -> None:
        """The stream: any view that there ever was, or the newest ones."""
        with self.market.lock:
            views = self.random.sample(self.market.views[-30:], min(3, len(self.market.views)))
        for view in views:
            event = "fill" if view["status"] == "filled" else "new"
            message = {"stream": "trade_updates", "data": {"event": event, "order": view}}
            self.seen[str(self.session.value(TELL, self.worker, json.dumps(message).encode()))] += 1

    def propose(self) -> None:
        decision = {
            "strategy_id": "storm", "symbol": self.random.choice(["AAA", "BBB", "CCC"]), "timeframe": "1m",
            "event_ts": f"2026-03-02T14:{self.random.randrange(60):02}:{self.random.randrange(60):02}Z",
            "action": "buy", "qty": "10",
        }  # fmt: skip
        self.session.rows("select orderlatch.propose_decision('paper', %s)", Jsonb(decision))

    def withdraw(self) -> None:
        query = """select orderlatch.withdraw_decision(encode(t.decision_hash, 'hex'), 'no more', true)
                   from (select d.decision_hash from orderlatch_data.trade_decisions as d
                         order by d.decision_id desc limit 1) as t"""
        self.session.rows(query)

    def wish(self) -> None:
        self.session.rows("select orderlatch.reconcile_account('paper', 'wanted')")
        self.session.rows("select orderlatch.record_stream_state(%s, 'paper', true)", self.worker)
        self.session.rows("""
            select orderlatch.lift_halt(h.halt_id, 'go on')
            from (select h.halt_id from orderlatch_data.halts as h where h.lifted_at is null
                  order by h.halt_id limit 100 for update skip locked) as h""")

    def drain(self) -> None:
        """Go on without losses until nothing is due any more, three times from the beginning."""
        for _ in range(3):
            asked_at = self.session.value("select clock_timestamp()")
            self.session.rows("select orderlatch.reconcile_account('paper', 'the end', a.created_at)"
                              " from orderlatch_data.accounts as a")  # fmt: skip
            while self.carry(unheard=0) > 0 or self.session.value(COVERED, asked_at) is not True:
                pass


@pytest.mark.parametrize("seed", [1, 2])
def test_after_a_storm_the_mirror_shows_what_is_true(database: Database, connect: Connect, seed: int) -> None:
    ground = Session(connect())
    ground.rows("select test.given_mirrored_account('paper', %s)", Jsonb(SETTINGS))
    workers = [ground.number("select test.given_worker()") for _ in range(3)]
    scene = Scene(database, connect, ground, workers[0])
    market = Market()
    actors = [Actor(scene.session(), workers[n % 3], market, Random(f"{seed} {n}")) for n in range(8)]
    with ThreadPoolExecutor(len(actors)) as pool:
        seen = sum((storm.result() for storm in [pool.submit(actor.act) for actor in actors]), Counter[str]())
    actors[0].drain()

    shown = {row[0]: row[1:] for row in ground.rows(ORDERS)}
    filled = Counter[object]()
    for fill in market.fills:
        filled[fill["order_id"]] += int(str(fill["qty"]))
    assert shown == {
        order_id: (order["status"], int(str(order["filled_qty"])), filled[order_id])
        for order_id, order in market.orders.items()
    }
    held = Counter[object]()
    for fill in market.fills:
        held[fill["symbol"]] += int(str(fill["qty"]))
    assert dict(ground.rows(POSITIONS)) == held  # type: ignore[arg-type]
    assert ground.rows(LASTING) == []
    assert ground.value("select test.broken_promises()") == []
    # a storm in which nothing happened proves nothing
    wanted = {
        "orders_listed",
        "fills_listed",
        "positions_listed",
        "order_exists",
        "order_updated",
        "in_doubt",
    }
    assert wanted <= set(seen), seen
    assert {"replaced", "filled"} <= {status for status, *_ in shown.values()}
