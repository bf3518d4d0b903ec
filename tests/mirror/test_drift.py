"""Fills and lists of positions cross on the wire: what is on its way is no drift, and drift is found."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.servers import Database

    Document = dict[str, object]

BEGIN = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
CLAIM = """
select c.request_id::text, c.kind, c.path, c.query from orderlatch.claim_requests(%s, '{paper}', 1000) as c
where c.request_id is not null
"""
INCIDENTS = "select i.incident from orderlatch_data.incidents as i where i.closed_at is null"


def written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, order=True)
class Trade:
    """One order, filled at once; its activity may be listed later."""

    at: datetime
    number: int
    quantity: int
    listed_at: datetime

    @property
    def activity_id(self) -> str:
        return f"{self.at:%Y%m%d%H%M%S%f}::x{self.number}"

    def order(self) -> Document:
        return {
            "id": f"o-{self.number}",
            "client_order_id": f"by-hand-{self.number}",
            "symbol": "GOOG",
            "side": "buy" if self.quantity > 0 else "sell",
            "qty": str(abs(self.quantity)),
            "filled_qty": str(abs(self.quantity)),
            "status": "filled",
            "submitted_at": written(self.at),
            "updated_at": written(self.at),
        }

    def fill(self) -> Document:
        return {
            "id": self.activity_id,
            "type": "fill",
            "order_id": f"o-{self.number}",
            "symbol": "GOOG",
            "side": "buy" if self.quantity > 0 else "sell",
            "qty": str(abs(self.quantity)),
            "price": "100",
            "transaction_time": written(self.at),
        }


@dataclass(slots=True)
class Market:
    """A busy symbol."""

    random: Random
    trades: list[Trade] = field(default_factory=list)
    moved: list[tuple[datetime, int]] = field(default_factory=list)

    def trade(self, at: datetime) -> None:
        quantity = self.random.choice([-7, -3, -1, 1, 2, 5, 11])
        listed_at = at + timedelta(seconds=self.random.choice([0, 0, 0.2, 3]))
        self.trades.append(Trade(at, len(self.trades), quantity, listed_at))

    def answer(self, kind: object, path: object, query: object, at: datetime) -> list[Document] | Document:
        """What the broker shows at a moment."""
        known = sorted(trade for trade in self.trades if trade.at <= at)
        if kind == "get_order":
            return next(trade.order() for trade in known if path == f"/v2/orders/o-{trade.number}")
        if kind == "list_positions":
            total = sum(trade.quantity for trade in known) + sum(q for when, q in self.moved if when <= at)
            return [{"symbol": "GOOG", "qty": str(total)}] if total else []
        assert isinstance(query, dict)
        if kind == "list_orders" and query["status"] == "open":
            return []
        known = [trade for trade in known if written(trade.at) > query["after"]]
        if kind == "list_orders":
            return [trade.order() for trade in known][:500]
        token = query.get("page_token", "")
        return [t.fill() for t in known if t.listed_at <= at and t.activity_id > token][:100]


@dataclass(slots=True)
class Session:
    """A worker whose calls take their time, and see the broker as it is somewhere on the way."""

    connection: psycopg.Connection
    worker: int
    market: Market
    now: datetime = BEGIN
    under_way: list[tuple[datetime, str, list[Document] | Document]] = field(default_factory=list)

    def go(self, **by: float) -> None:
        """Time passes, answers arrive, the worker claims."""
        self.now += timedelta(**by)
        self.connection.execute("select test_support.hold_clock(%s)", [self.now])
        arrived = [call for call in self.under_way if call[0] <= self.now]
        self.under_way = [call for call in self.under_way if call[0] > self.now]
        for _, request_id, document in arrived:
            body = base64.b64encode(json.dumps(document).encode()).decode()
            said = {"request_id": request_id, "sent": "yes", "status": 200, "body": body}
            self.connection.execute("select orderlatch.record_responses(%s)", [Jsonb([said])])
        for request_id, kind, path, query in self.connection.execute(CLAIM, [self.worker]).fetchall():
            seen_at = self.now + timedelta(seconds=self.market.random.uniform(0, 1.5))
            self.market.trade(self.now + timedelta(seconds=self.market.random.uniform(0, 1.5)))
            arrives_at = seen_at + timedelta(seconds=self.market.random.uniform(0, 1.5))
            self.under_way.append((arrives_at, request_id, self.market.answer(kind, path, query, seen_at)))

    def incidents(self) -> list[object]:
        return [incident for (incident,) in self.connection.execute(INCIDENTS).fetchall()]


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """An account whose foreign orders are nobody's business, and its worker."""
    with database.connect(autocommit=False) as session:
        session.execute("select test_support.hold_clock(%s)", [BEGIN])
        session.execute(
            'select test.given_mirrored_account(\'paper\', \'{"on_foreign_order": "ignore", '
            '"reconcile_every": "20 seconds", "positions_every": "40 seconds"}\')'
        )
        session.execute("select test.given_worker()")
        yield session
        session.rollback()


def busy(connection: psycopg.Connection, seed: int) -> Session:
    ((worker,),) = connection.execute("select w.worker_id from orderlatch_data.workers as w").fetchall()
    return Session(connection, worker, Market(Random(seed)))


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_fills_on_their_way_are_no_drift(connection: psycopg.Connection, seed: int) -> None:
    with connection.transaction(force_rollback=True):
        session = busy(connection, seed)
        for _ in range(250):
            session.go(seconds=session.market.random.choice([0.5, 1, 2, 5]))
            assert session.incidents() == []


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_drift_is_found_while_fills_are_on_their_way(connection: psycopg.Connection, seed: int) -> None:
    with connection.transaction(force_rollback=True):
        session = busy(connection, seed)
        for _ in range(20):
            session.go(seconds=2)
        session.market.moved.append((session.now, 1000))
        began = session.now
        while session.incidents() != ["position_drift"] and session.now < began + timedelta(minutes=10):
            session.go(seconds=2)
        assert session.incidents() == ["position_drift"]
        session.market.moved.append((session.now, -1000))
        for _ in range(60):
            session.go(seconds=2)
        assert session.incidents() == []
