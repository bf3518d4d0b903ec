"""A broker in a dictionary, and workers that carry calls to it in threads."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from tests.races.scene import Session

Answer: TypeAlias = dict[str, object]

CLAIM = """
select c.request_id::text, c.account, c.kind, c.query, c.body
from orderlatch.claim_requests(%s, %s, %s) as c where c.request_id is not null
"""
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r order by r.answer_no"


def said(request_id: object, sent: str, status: int | None = None, document: object = None) -> Answer:
    """What a worker reports of one call."""
    body = None if document is None else base64.b64encode(json.dumps(document).encode()).decode()
    return {"request_id": request_id, "sent": sent, "status": status, "body": body}


@dataclass(slots=True)
class Broker:
    """Takes each client_order_id once, and counts how often it was sent."""

    orders: dict[str, dict[str, object]] = field(default_factory=dict)
    posts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, request_id: object, account: object, kind: object, query: object, body: object) -> Answer:
        """Do what a request asks for."""
        if kind == "get_account":
            return said(request_id, "yes", 200, {"id": f"{account}-id"})
        if kind in ("list_fills", "list_positions"):
            return said(request_id, "yes", 200, [])
        if kind == "list_orders":
            return said(request_id, "yes", 200, [o for o in self.orders.values() if o["account"] == account])
        if kind == "find_order":
            assert isinstance(query, dict)
            order = self.orders.get(query["client_order_id"])
            if order is None:
                return said(request_id, "yes", 404, {"code": 40410000, "message": "order not found"})
            return said(request_id, "yes", 200, order)
        assert kind == "submit_order"
        assert isinstance(body, str)
        return self._submit(request_id, account, json.loads(body))

    def _submit(self, request_id: object, account: object, order: dict[str, object]) -> Answer:
        client_order_id = str(order["client_order_id"])
        with self._lock:
            self.posts[client_order_id] += 1
            if client_order_id in self.orders:
                return said(request_id, "yes", 422, {"message": "client_order_id must be unique"})
            self.orders[client_order_id] = {
                **order,
                "account": account,
                "id": f"order-{len(self.orders) + 1}",
                "status": "accepted",
                "submitted_at": datetime.now(UTC).isoformat(),
            }
        return said(request_id, "yes", 201, self.orders[client_order_id])


@dataclass(frozen=True, slots=True)
class Wire:
    """How often a call fails, and the seed that says which."""

    random: Random
    unsent: float
    unheard: float

    def carry(self, broker: Broker, request: tuple[object, ...]) -> Answer:
        """Carry one request; it may never leave, or its answer may never arrive."""
        if self.random.random() < self.unsent:
            return said(request[0], "no")
        answer = broker.call(*request)
        return said(request[0], "maybe") if self.random.random() < self.unheard else answer


def work(session: Session, worker: int, accounts: list[str], broker: Broker, wire: Wire) -> Mapping[str, int]:
    """Claim once, carry what is granted, and record it in one batch in an order of its own; the meanings."""
    requests = session.rows(CLAIM, worker, accounts, wire.random.randint(1, 8))
    answers = [wire.carry(broker, request) for request in requests]
    wire.random.shuffle(answers)
    if not answers:
        return {}
    return Counter(str(meaning) for (meaning,) in session.rows(RECORD, Jsonb(answers)))
