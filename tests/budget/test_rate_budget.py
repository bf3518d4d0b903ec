"""The rate budget over minutes of simulated time: four workers, many accounts, and a broker that counts.

Everything in the database is real. Time is the held clock, moved from event to event. Calls arrive up to a
second after they were granted, in any order, and a few of the brokers' clocks are wrong.
"""

from __future__ import annotations

import base64
import heapq
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database
    from tests.support.sessions import Connect

WORKERS = 4
# The smallest bucket holds four tokens, one of them kept: to look half a second late costs none. With 20 a
# minute submits would have one, and what is refilled until a worker looks would be lost.
LIMITS = (40, 44, 50, 60, 80)
SLOTS = 32
# How often each worker looks; the four of them are half a second apart.
PERIOD_S = 2.0
LATEST_S = 0.95
START = datetime(2026, 3, 2, 14, 59, 43, tzinfo=UTC)

CLAIM = """
select c.request_id::text, c.account, c.kind, c.body
  from orderlatch.claim_requests(%s, null, %s) as c where c.request_id is not null
"""
RECORD = "select count(*) from orderlatch.record_responses(%s) as r"
HOLD = "select test_support.hold_clock(%s)"
# Accounts whose reads are due every second, so that there is always something to read; and accounts without a
# mirror that have more decisions than they can send.
READERS: dict[str, object] = {"reconcile_every": "1 second", "positions_every": "1 second"}
SENDERS: dict[str, object] = {"max_in_doubt": 100, "max_decision_age": "1 day"}
REFILL = "select b.account, b.refill_a_minute::float, b.may_submit_now from orderlatch.budgets as b"
PROMISES = "select i.promise from orderlatch.invariants as i where i.violations > 0"


@dataclass(slots=True)
class Broker:
    """One account's broker: a limit for each fixed minute of its own clock, and a memory of every arrival."""

    limit: int
    skew_s: float
    arrivals: list[float] = field(default_factory=list)
    minute: int = -1
    used: int = 0
    refused: int = 0

    def answer(self, at: float, kind: str, body: str | None, account: str) -> dict[str, object]:
        """Count a call and answer it, with headers."""
        self.arrivals.append(at)
        own_time = START.timestamp() + at + self.skew_s
        if int(own_time // 60) != self.minute:
            self.minute, self.used = int(own_time // 60), 0
        self.used += 1
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self.used)),
            "x-ratelimit-reset": str((self.minute + 1) * 60),
        }
        if self.used > self.limit:
            self.refused += 1
            return said(429, {"code": 42910000, "message": "rate limit exceeded"}, headers)
        if kind == "get_account":
            return said(200, {"id": f"{account}-id"}, headers)
        if kind == "submit_order":
            assert body is not None
            order = {**json.loads(body), "id": f"{account}-{len(self.arrivals)}", "status": "accepted"}
            return said(200, order, headers)
        return said(200, [], headers)

    def most_in_a_minute(self) -> int:
        """The largest number of calls that arrived within any 60 seconds."""
        window: deque[float] = deque()
        most = 0
        for at in sorted(self.arrivals):
            window.append(at)
            while window[0] <= at - 60:
                window.popleft()
            most = max(most, len(window))
        return most

    def longest_wait(self) -> float:
        """The longest time without a call, once the first had come."""
        ordered = sorted(self.arrivals)
        return max(later - earlier for earlier, later in pairwise(ordered))


def said(status: int, document: object, headers: dict[str, str]) -> dict[str, object]:
    body = base64.b64encode(json.dumps(document).encode()).decode()
    return {"sent": "yes", "status": status, "headers": headers, "body": body, "elapsed_ms": 100}


@dataclass(slots=True)
class Worker:
    """One life of a worker: its session, and the answers that it has not recorded yet."""

    session: psycopg.Connection
    worker_id: int
    held: int = 0
    arrived: list[tuple[float, int, dict[str, object]]] = field(default_factory=list)

    def act(self, now: float, brokers: dict[str, Broker], random: Random) -> None:
        """Record what has come back, then claim; each call arrives somewhat later."""
        answers = []
        while self.arrived and self.arrived[0][0] <= now:
            answers.append(heapq.heappop(self.arrived)[2])
        if answers:
            self.session.execute(RECORD, [Jsonb(answers)])
            self.held -= len(answers)
        if self.held == SLOTS:
            return
        for request_id, account, kind, body in self.session.execute(
            CLAIM, [self.worker_id, SLOTS - self.held]
        ):
            self.held += 1
            arrives = now + random.uniform(0, LATEST_S)
            answer = {"request_id": request_id, **brokers[account].answer(arrives, kind, body, account)}
            heapq.heappush(self.arrived, (arrives + random.uniform(0.01, 0.3), id(answer), answer))


def settle(session: psycopg.Connection, brokers: dict[str, Broker], seconds: int) -> None:
    """Create the accounts, odd ones with reads and even ones with decisions."""
    for number, (account, broker) in enumerate(brokers.items()):
        settings = {"rate_limit": broker.limit, **(READERS if number % 2 else SENDERS)}
        session.execute("select orderlatch.create_account(%s, 'paper', %s)", [account, Jsonb(settings)])
        if number % 2 == 0:
            session.execute("select test_support.without_mirror(%s)", [account])
            decisions = [
                {
                    "strategy_id": "s",
                    "symbol": f"S{place % 10}",
                    "event_ts": "2026-03-02T14:30:00Z",
                    "timeframe": "1m",
                    "leg": str(place),
                    "action": "buy",
                    "qty": "1",
                }
                for place in range(broker.limit * seconds // 60)
            ]
            for first in range(0, len(decisions), 500):
                batch = Jsonb(decisions[first : first + 500])
                session.execute("select count(*) from orderlatch.propose_decisions(%s, %s)", [account, batch])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seconds", "accounts"), [(120, 10), pytest.param(600, 50, marks=pytest.mark.thorough)]
)
def test_the_limits_are_used_to_the_full_and_never_exceeded(
    database: Database, connect: Connect, seconds: int, accounts: int
) -> None:
    random = Random(20260302)
    # of five brokers' clocks one is fast and one is slow
    brokers = {
        f"a{number}": Broker(limit=LIMITS[number % len(LIMITS)], skew_s=(0, 0, 0, 25, -25)[number % 5])
        for number in range(accounts)
    }
    ground = connect()
    ground.execute(HOLD, [START])
    settle(ground, brokers, seconds)
    ground.execute("analyze")
    register = "select orderlatch.register_worker('w', %s, 1)"
    carried = Jsonb([{"account": account, "environment": "paper"} for account in brokers])
    workers = []
    for _ in range(WORKERS):
        session = connect()
        row = session.execute(register, [carried]).fetchone()
        assert row is not None
        workers.append(Worker(session, row[0]))

    for step in range(int(seconds / PERIOD_S) * WORKERS):
        now = step * PERIOD_S / WORKERS
        ground.execute(HOLD, [START + timedelta(seconds=now)])
        workers[step % WORKERS].act(now, brokers, random)

    budgets = {account: (refill, left) for account, refill, left in ground.execute(REFILL).fetchall()}
    assert ground.execute(PROMISES).fetchall() == []
    for account, broker in brokers.items():
        refill = budgets[account][0]
        depth = max(2, broker.limit // 10)
        reserve = max(1, depth / 10)
        # what a full bucket and what is refilled give, but for what is kept for more urgent calls
        possible = depth - reserve + refill * seconds / 60
        assert broker.refused == 0, f"{account} met a 429"
        assert broker.most_in_a_minute() <= broker.limit, account
        assert len(broker.arrivals) >= 0.95 * possible, f"{account} used {len(broker.arrivals)} of {possible}"
        # a token a turn, and at the end of the broker's minute the one that is kept for lookups; the delay of
        # one call and not of the next, and the period of the workers
        assert broker.longest_wait() <= 2 * 60 / refill + LATEST_S + 3 * PERIOD_S, f"{account} waited"
    assert database.name
