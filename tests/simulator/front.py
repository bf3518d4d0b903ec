"""What the broker answers: in its own words, or in those of the machines in front of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulator.world import S

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.book import Book, Document, Order
    from tests.simulator.world import World

HTML = b"<html><head><title>504 Gateway Time-out</title></head></html>"


@dataclass(slots=True)
class Call:
    """One HTTP call that was granted, and all that is known of it: the simulator's own books."""

    request_id: str
    account: str
    kind: str
    path: str
    query: Document | None
    body: Document | None
    claimed_at: int
    send_by: int
    """The worker may begin it until then."""
    timeout_us: int
    answer_by: int
    worker: str
    generation: int
    decision: str | None = None
    turn: int = 0
    """How many of its kind there were for this decision before."""
    said_absent: bool = False
    """Whether the broker itself said that there is no such order."""
    last_page: bool = False
    arrivals: int = 0
    tried_at: dict[str, int] = field(default_factory=dict)
    """When an answer was first recorded without anybody hearing so: it was, or it was not."""
    recorded: list[tuple[int, str, str]] = field(default_factory=list)
    """When, what was reported (sent), what it was taken to mean."""

    @property
    def meanings(self) -> list[str]:
        """What its answers were taken to mean, each time it was recorded."""
        return [meaning for _, _, meaning in self.recorded]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    absent: bool = False
    last_page: bool = False


def said(status: int, document: object, *, absent: bool = False, last_page: bool = False) -> Reply:
    """A response in JSON."""
    return Reply(status, json.dumps(document).encode(), absent=absent, last_page=last_page)


def refusal(status: int, code: int, message: str) -> Reply:
    """The broker's own no."""
    return said(status, {"code": code, "message": message})


class Front:
    """The broker as its callers meet it."""

    def __init__(self, world: World, books: dict[str, Book]) -> None:
        self._world = world
        self.books = books

    def answer(self, call: Call, luck: Random, *, book: Book, lag_s: float, late: bool) -> Reply:
        """Do what a call asks for, and say so."""
        as_of = self._world.now - round(lag_s * S)
        match call.kind:
            case "get_account":
                reply = said(200, {"id": book.account.broker_account_id, "status": "ACTIVE"})
            case "submit_order":
                reply = self._submit(call, luck, book, late=late)
            case "find_order":
                query = call.query or {}
                reply = self._found(
                    book.by_client_order_id.get(str(query["client_order_id"]), []), as_of, call
                )
            case "get_order":
                reply = self._found(
                    [o for o in (book.orders.get(call.path.rpartition("/")[2]),) if o], as_of, call
                )
            case "cancel_order":
                reply = self._cancel(call, book)
            case "list_orders":
                page = book.list_orders(call.query or {}, as_of)
                reply = said(200, page, last_page=len(page) < 500)
            case "list_fills":
                page = book.list_fills(call.query or {}, as_of)
                reply = said(200, page, last_page=len(page) < 100)
            case "list_positions":
                reply = said(200, [_position(*held) for held in sorted(book.positions().items())])
            case _:
                reply = refusal(404, 40410000, "endpoint not found")
        return Reply(reply.status, reply.body, self._headers(book, luck), reply.absent, reply.last_page)

    def broken(self, fate: str, luck: Random, kind: str) -> Reply:
        """A response that proves nothing, or asks for patience."""
        match fate:
            case "429":
                words = luck.choice(("rate limit exceeded", "too many requests."))
                headers = {"retry-after": str(luck.randint(1, 40))} if luck.random() < 0.5 else {}
                document = {"message": words} | ({"code": 42910000} if luck.random() < 0.5 else {})
                return Reply(429, json.dumps(document).encode(), headers)
            case "401":
                return Reply(401, b'{"message": "unauthorized."}\n')
            case "500":
                return refusal(500, 50010000, "internal server error occurred")
            case "gateway":
                return Reply(luck.choice((408, 502, 503, 504)), luck.choice((HTML, b"")))
            case "404":
                return luck.choice((refusal(404, 40410000, "endpoint not found"), Reply(404, HTML)))
            case "429 of a proxy":
                return Reply(429, HTML)
            case _:
                garbage = (
                    b"",
                    HTML,
                    b'{"id": "',
                    b"[]",
                    b"null",
                    b'{"status": "new"}',
                    b'[{"id": 7}]',
                    b"\xff\x00",
                )
                body = luck.choice(garbage)
                if body == b"[]" and kind.startswith("list_"):
                    body = b"null"  # to whoever asked for a list, an empty one is no garbage but a lie
                return Reply(200, body)

    def _submit(self, call: Call, luck: Random, book: Book, *, late: bool) -> Reply:
        body = dict(call.body or {})
        client_order_id = str(body["client_order_id"])
        known = book.by_client_order_id.get(client_order_id, [])
        duplicate = refusal(422, luck.choice((40010001, 42210000)), "client_order_id must be unique")
        refused = refusal(403, 40310000, "insufficient buying power")
        poor = luck.random() < (0.05 if not known else 0.5)
        if book.account.checks_come_first and poor:
            return refused
        if book.is_taken(client_order_id):
            return duplicate
        if poor and not known:
            return refused
        if not self._world.calm and luck.random() < 0.004 and body.get("qty"):
            body["qty"] = str(Decimal(str(body["qty"])) + 1)
            order = book.place(body, late=late)
            order.mismatched = True
        else:
            order = book.place(body, late=late)
            book.judge(order)
        return said(200, order.as_of(self._world.now))

    def _found(self, orders: list[Order], as_of: int, call: Call) -> Reply:
        for order in orders:
            if (document := order.as_of(as_of)) is not None:
                return said(200, document)
            order.hidden = True
        return said(404, {"code": 40410000, "message": f"order not found for {call.path}"}, absent=True)

    def _cancel(self, call: Call, book: Book) -> Reply:
        order = book.orders.get(call.path.rpartition("/")[2])
        if order is None:
            return refusal(404, 40410000, f"order not found for {call.path}")
        if not order.is_open:
            return refusal(422, 42210000, f'order is already in "{order.now["status"]}" state')
        book.ask_cancel(order)
        return Reply(204, b"")

    def _headers(self, book: Book, luck: Random) -> dict[str, str]:
        headers = {"x-request-id": f"{luck.getrandbits(128):032x}", "content-type": "application/json"}
        if book.account.says_limits:
            second = int(self._world.time().timestamp())
            headers["x-ratelimit-limit"] = str(book.account.number("rate_limit"))
            headers["x-ratelimit-remaining"] = str(luck.randint(2, book.account.number("rate_limit")))
            headers["x-ratelimit-reset"] = str(second - second % 60 + 60)
        return headers


def _position(symbol: str, quantity: object) -> Document:
    return {
        "symbol": symbol.replace("/", ""),
        "qty": str(quantity),
        "side": "short" if str(quantity)[0] == "-" else "long",
    }
