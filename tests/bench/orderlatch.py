"""The real thing as a layout: propose, claim, record, with everything that a decision's life is here.

It is judged by its limits, each move is journaled and chained, request and answer are kept, signal and id are
guarded. Every connection has an account of its own, and a worker of its own for it.
"""

from __future__ import annotations

import base64
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from tests.bench.carrying import body_of
from tests.bench.ground import fresh_database
from tests.bench.layouts import PAYLOAD
from tests.support.decisions import a_limit_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SYMBOLS = 1000
CREATE = "select orderlatch.create_account(%s, 'paper', %s)"
LIMIT = "select orderlatch.set_limit(%s, %s, %s)"
REGISTER = "select orderlatch.register_worker('bench', %s, 1)"
PROPOSE = "select p.outcome from orderlatch.propose_decisions(%s, %s) as p"
CLAIM = (
    "select c.request_id, c.account, c.kind, c.body from orderlatch.claim_requests(%s, null, %s) as c"
    " where c.request_id is not null"
)
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
# No part of a life: the reads that every account has once a minute, whatever it trades.
NO_READS = (
    "update orderlatch_data.broker_reads set next_page_at = 'infinity'",
    "delete from orderlatch_data.read_wishes",
    "update orderlatch_data.account_states set reconcile_after = null",
)


def create_accounts(connection: psycopg.Connection, names: Sequence[str]) -> None:
    """Accounts with two limits each, and a rate that binds nothing."""
    settings = json.dumps({"max_in_doubt": 1000, "rate_limit": 1_000_000, "burst": 500_000})
    with connection.transaction():
        for name in names:
            connection.execute(CREATE, [name, settings])
            connection.execute(LIMIT, ["order_quantity", 1000, name])
            connection.execute(LIMIT, ["order_notional", 100_000, name])


def stop_reads(connection: psycopg.Connection) -> None:
    """From here on claims grant nothing but submits."""
    for statement in NO_READS:
        connection.execute(statement.encode())


def a_decision(number: int, symbol: str) -> dict[str, object]:
    """A limit order with half of the payload."""
    return a_limit_order(
        number,
        strategy_id="bench",
        symbol=symbol,
        event_ts="2026-11-20T21:00:00Z",
        limit_price="185.02",
        params={"fast": 10, "slow": 30, "note": PAYLOAD[:300]},
    )


def an_answer(request_id: object, document: object) -> dict[str, object]:
    """What a worker reports of a 200."""
    return {
        "request_id": str(request_id),
        "sent": "yes",
        "status": 200,
        "headers": {"x-request-id": "0123456789abcdef0123456789abcdef"},
        "body": base64.b64encode(body_of(document)).decode(),
        "elapsed_ms": 12,
    }


@dataclass(slots=True)
class Seat:
    """One worker's life, and how long its calls took: seconds by step, for each call.

    As a worker does, it proves itself alive on a connection of its own.
    """

    connection: psycopg.Connection
    listener: psycopg.Connection
    worker_id: int
    took: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def taken(cls, connection: psycopg.Connection, accounts: Sequence[str]) -> Seat:
        """Register, and be verified for each account."""
        carried = json.dumps([{"account": account, "environment": "paper"} for account in accounts])
        listener = psycopg.connect(connection.info.dsn, autocommit=True)
        row = listener.execute(REGISTER, [carried]).fetchone()
        assert row is not None
        seat = cls(connection, listener, row[0])
        verified = 0
        while verified < len(accounts):
            verified += seat.carry(1000)["get_account"]
        seat.took.clear()
        return seat

    def propose(self, account: str, decisions: Sequence[dict[str, object]]) -> list[str]:
        """Propose decisions; the outcomes."""
        text = json.dumps(decisions)
        with self.timed("propose"):
            return [outcome for (outcome,) in self.connection.execute(PROPOSE, [account, text]).fetchall()]

    def carry(self, many: int) -> defaultdict[str, int]:
        """Claim, have it answered at once, record; how many of each kind."""
        with self.timed("claim"):
            rows = self.connection.execute(CLAIM, [self.worker_id, many]).fetchall()
        carried: defaultdict[str, int] = defaultdict(int)
        answers = []
        for request_id, account, kind, body in rows:
            carried[kind] += 1
            answers.append(an_answer(request_id, self.answer(account, kind, body)))
        if answers:
            text = json.dumps(answers)
            with self.timed("record"):
                self.connection.execute(RECORD, [text])
        return carried

    def answer(self, account: str, kind: str, body: str | None) -> object:
        """What the broker says: to an order, a random id, as Alpaca does, and half of the payload."""
        if kind == "get_account":
            return {"id": f"{account}-id"}
        if body is None:
            return []
        return json.loads(body) | {
            "id": str(uuid4()), "status": "new", "filled_qty": "0", "note": PAYLOAD[:300]
        }  # fmt: skip

    def timed(self, step: str) -> Timed:
        """Measures a call of a step."""
        return Timed(self.took[step])


@dataclass(slots=True)
class Timed:
    """Appends the seconds that its body took."""

    seconds: list[float]
    began: float = 0

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds.append(time.perf_counter() - self.began)


@dataclass(slots=True)
class Orderlatch:
    """Propose, claim, record: in each account, over a thousand symbols."""

    seats: dict[int, Seat] = field(default_factory=dict)

    def create(self, lanes: int) -> str:
        """Create an account for each connection."""
        url = fresh_database()
        with psycopg.connect(url, autocommit=True) as connection:
            create_accounts(connection, [f"bench-{lane}" for lane in range(lanes)])
        return url

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Register a worker on the connection and verify it."""
        self.seats[lane] = Seat.taken(connection, [f"bench-{lane}"])
        stop_reads(connection)

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:  # noqa: ARG002
        """One call for each step, as a strategy and a worker make them."""
        seat = self.seats[lane]
        decisions = [a_decision(number, f"S{number % SYMBOLS}") for number in range(first, first + many)]
        seat.propose(f"bench-{lane}", decisions)
        carried = seat.carry(many)
        assert carried == {"submit_order": many}, f"{dict(carried)} of {many} were granted"
        return many

    def times(self) -> Iterator[tuple[str, list[float]]]:
        """Seconds of all calls, by step."""
        for step in ("propose", "claim", "record"):
            yield step, [each for seat in self.seats.values() for each in seat.took[step]]
