"""A broker that keeps a market in a dictionary: orders fill, end and are replaced while they are read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.races.broker import Answer, said

if TYPE_CHECKING:
    from random import Random

    Order = dict[str, object]

ENDED = {"filled", "canceled", "expired", "rejected", "replaced"}
ABSENT = {"code": 40410000, "message": "order not found for it"}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Market:
    """The truth: every order, every trade; and every view of an order that there ever was."""

    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Order] = field(default_factory=list)
    views: list[Order] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(
        self, request_id: object, kind: object, path: object, query: object, body: Order | None
    ) -> Answer:
        """Do what a request asks for."""
        with self.lock:
            if kind == "submit_order":
                assert body is not None
                return self._submit(request_id, body)
            if kind == "get_account":
                return said(request_id, "yes", 200, {"id": "paper-id"})
            if kind == "list_positions":
                return said(request_id, "yes", 200, self._positions())
            if kind in {"get_order", "cancel_order"}:
                return self._single(request_id, kind, self.orders.get(str(path).removeprefix("/v2/orders/")))
            assert isinstance(query, dict)
            if kind == "find_order":
                wanted = query["client_order_id"]
                found = next((o for o in self.orders.values() if o["client_order_id"] == wanted), None)
                return said(request_id, "yes", 404 if found is None else 200, found or ABSENT)
            if kind == "list_fills":
                listed = [f for f in self.fills if str(f["transaction_time"]) > query["after"]]
                behind = [f for f in listed if str(f["id"]) > query.get("page_token", "")]
                return said(request_id, "yes", 200, behind[:100])
            assert kind == "list_orders"
            orders = list(self.orders.values())
            if query["status"] == "open":
                orders = [o for o in orders if o["status"] not in ENDED]
            else:
                orders = [o for o in orders if str(o["submitted_at"]) > query["after"]]
            assert len(orders) < 500
            return said(request_id, "yes", 200, orders)

    def _submit(self, request_id: object, body: Order) -> Answer:
        if any(o["client_order_id"] == body["client_order_id"] for o in self.orders.values()):
            return said(request_id, "yes", 422, {"message": "client_order_id must be unique"})
        return said(request_id, "yes", 200, self._place(body))

    def _single(self, request_id: object, kind: object, order: Order | None) -> Answer:
        if order is None:
            return said(request_id, "yes", 404, ABSENT)
        if kind == "get_order":
            return said(request_id, "yes", 200, order)
        if order["status"] in ENDED:
            refused = {"code": 42210000, "message": f'order is already in "{order["status"]}" state'}
            return said(request_id, "yes", 422, refused)
        self._change(order, status="pending_cancel")
        return said(request_id, "yes", 204)

    def _place(self, body: Order) -> Order:
        order_id = f"order-{len(self.orders) + 1:04}"
        given: Order = {"id": order_id, "status": "new", "filled_qty": "0", "submitted_at": now()}
        self.orders[order_id] = body | given
        self._change(self.orders[order_id])
        return dict(self.orders[order_id])

    def _change(self, order: Order, **members: object) -> None:
        order |= members | {"updated_at": now()}
        self.views.append(dict(order))

    def _positions(self) -> list[Order]:
        held: dict[str, int] = {}
        for fill in self.fills:
            held[str(fill["symbol"])] = held.get(str(fill["symbol"]), 0) + int(str(fill["qty"]))
        return [{"symbol": symbol, "qty": str(quantity)} for symbol, quantity in held.items()]

    def move(self, random: Random) -> None:
        """Something happens: an order fills, ends or is replaced, or somebody places one by hand."""
        with self.lock:
            live = [o for o in self.orders.values() if o["status"] not in ENDED]
            if not live or random.random() < 0.1:
                body: Order = {
                    "client_order_id": f"by-hand-{len(self.orders)}",
                    "symbol": "AAA",
                    "side": "buy",
                }
                self._place(body | {"qty": "10", "type": "market", "time_in_force": "day"})
                return
            order = random.choice(live)
            if order["status"] == "pending_cancel":
                self._change(order, status="canceled")
            elif random.random() < 0.1:
                self._replace(order)
            elif random.random() < 0.15:
                self._change(order, status="expired")
            else:
                self._fill(order, random.choice([1, 4, 10]))

    def _replace(self, order: Order) -> None:
        named: Order = {"client_order_id": f"made-{len(self.orders)}", "replaces": order["id"]}
        replacement = self._place(
            {k: order[k] for k in ("symbol", "side", "qty", "type", "time_in_force")} | named
        )
        self._change(order, status="replaced", replaced_by=replacement["id"])

    def _fill(self, order: Order, quantity: int) -> None:
        filled = int(str(order["filled_qty"]))
        quantity = min(quantity, int(str(order["qty"])) - filled)
        filled += quantity
        self.fills.append(
            {
                "id": f"{len(self.fills):08}::x",
                "type": "fill",
                "order_id": order["id"],
                "symbol": order["symbol"],
                "side": "buy",
                "qty": str(quantity),
                "price": "100",
                "transaction_time": now(),
            }
        )
        status = "filled" if filled == int(str(order["qty"])) else "partially_filled"
        self._change(order, status=status, filled_qty=str(filled), filled_avg_price="100")
