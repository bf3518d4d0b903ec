"""A carrier without HTTP: claims over one session, has requests answered at once, records the answers."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CLAIM = """
select c.request_id::text, c.account, c.kind, c.path, c.query, c.body, c.ask_again_ms
  from orderlatch.claim_requests(%s, null, %s) as c
"""
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
REGISTER = "select orderlatch.register_worker('bench', %s, 1)"

Document: TypeAlias = "dict[str, object] | list[dict[str, object]]"


class Request(NamedTuple):
    """A row of claim_requests; the last one may hold nothing but ask_again_ms."""

    request_id: str | None
    account: str
    kind: str
    path: str
    query: dict[str, str] | None
    body: str | None
    ask_again_ms: int | None


class Broker(Protocol):
    """Something that answers requests."""

    def answer(self, request: Request) -> Document:
        """The body of the broker's 200."""

    def headers(self, request: Request) -> dict[str, str]:
        """What the broker says of its rate limit."""


@dataclass(slots=True)
class Carrier:
    """One life of a worker. The seconds are those that it waited for the database."""

    session: psycopg.Connection
    broker: Broker
    worker_id: int
    claims: int = 0
    claiming_s: float = 0
    recording_s: float = 0
    carried: dict[str, int] = field(default_factory=dict)

    @classmethod
    def register(cls, url: str, broker: Broker, accounts: Sequence[str]) -> Carrier:
        """Open the session of a new life."""
        session = psycopg.connect(url, autocommit=True, prepare_threshold=1)
        carried = json.dumps([{"account": account, "environment": "paper"} for account in accounts])
        row = session.execute(REGISTER, [carried]).fetchone()
        assert row is not None
        return cls(session, broker, row[0])

    def claim(self, slots: int) -> tuple[list[Request], int | None]:
        """What is to be carried, and in how many milliseconds to ask again."""
        began = time.perf_counter()
        rows = [Request(*row) for row in self.session.execute(CLAIM, [self.worker_id, slots])]
        self.claiming_s += time.perf_counter() - began
        self.claims += 1
        requests = [row for row in rows if row.request_id is not None]
        return requests, next((row.ask_again_ms for row in rows if row.request_id is None), None)

    def record(self, answers: list[dict[str, object]]) -> None:
        """Hand in answers."""
        text = json.dumps(answers)
        began = time.perf_counter()
        self.session.execute(RECORD, [text]).fetchall()
        self.recording_s += time.perf_counter() - began

    def carry(self, slots: int) -> tuple[list[Request], int | None]:
        """Claim, have answered, record."""
        requests, ask_again_ms = self.claim(slots)
        if requests:
            self.record(
                [
                    said(request, self.broker.answer(request), self.broker.headers(request))
                    for request in requests
                ]
            )
        for request in requests:
            self.carried[request.kind] = self.carried.get(request.kind, 0) + 1
        return requests, ask_again_ms


def body_of(document: object) -> bytes:
    """JSON as the broker and the sandbox write it: without a blank."""
    return json.dumps(document, separators=(",", ":")).encode()


def said(request: Request, document: Document, headers: dict[str, str]) -> dict[str, object]:
    """An answer as a worker reports it, with the headers that Alpaca sends."""
    return {
        "request_id": request.request_id,
        "sent": "yes",
        "status": 200,
        "headers": {
            "content-type": "application/json",
            "date": "Fri, 20 Nov 2026 21:00:00 GMT",
            "x-request-id": "0123456789abcdef0123456789abcdef",
            **headers,
        },
        "body": base64.b64encode(body_of(document)).decode(),
        "elapsed_ms": 12,
    }


@dataclass(slots=True)
class Minutes:
    """The broker's count of the calls of each account in each minute."""

    limit: int
    now: Callable[[], float] = time.time
    used: dict[tuple[str, int], int] = field(default_factory=dict)

    def headers(self, request: Request) -> dict[str, str]:
        """Count a call, and say what is left of its minute."""
        minute = int(self.now() // 60)
        used = self.used[request.account, minute] = self.used.get((request.account, minute), 0) + 1
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - used)),
            "x-ratelimit-reset": str((minute + 1) * 60),
        }


@dataclass(slots=True)
class RestingBook:
    """A broker without a past that takes every order and shows it, resting, from then on."""

    minutes: Minutes
    orders: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)

    def headers(self, request: Request) -> dict[str, str]:
        """What is left of the minute."""
        return self.minutes.headers(request)

    def answer(self, request: Request) -> Document:
        """An account named after its name, an order as it was sent, what rests, and empty lists."""
        taken = self.orders.setdefault(request.account, {})
        match request.kind:
            case "get_account":
                return {"id": f"{request.account}-id"}
            case "submit_order":
                assert request.body is not None
                at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                times = {"created_at": at, "updated_at": at, "submitted_at": at}
                order = accepted(json.loads(request.body), str(request.request_id)) | times
                taken[str(order["id"])] = order
                return order
            case "get_order":
                return taken[request.path.rsplit("/", 1)[1]]
            case "list_orders":
                query = request.query or {}
                after = query.get("after", "")
                shown = [order for order in taken.values() if str(order["submitted_at"]) > after]
                return shown[: int(query["limit"])]
            case _:
                return []


def accepted(order: dict[str, object], broker_order_id: str) -> dict[str, object]:
    """The order as the broker answers it: members as in a recording of the paper API."""
    at = "2026-11-20T21:00:00.371060727Z"
    return {
        "id": broker_order_id, "created_at": at, "updated_at": at, "submitted_at": at, "filled_at": None,
        "expired_at": None, "expires_at": "2026-11-20T21:00:00Z", "canceled_at": None, "failed_at": None,
        "replaced_at": None, "replaced_by": None, "replaces": None, "asset_class": "us_equity",
        "asset_id": "b6d1aa75-5c9c-4353-a305-9e2caa1925ab", "notional": None, "filled_qty": "0",
        "filled_avg_price": None, "order_class": "", "order_type": order.get("type"), "stop_price": None,
        "position_intent": "buy_to_open", "status": "pending_new", "extended_hours": False, "legs": None,
        "trail_percent": None, "trail_price": None, "hwm": None, "subtag": None, "source": None,
    } | order  # fmt: skip
