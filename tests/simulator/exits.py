"""Orders of a class at the broker: an entry and its exits, which come to life and end together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.book import Document, Order

ENDED_UNFILLED = ("canceled", "expired", "rejected")
OTHER_SIDE = {"buy": "sell", "sell": "buy"}


def exits_of(body: Document) -> list[Document]:
    """The bodies of the legs of an order that is being placed; the broker makes up their ids."""
    order_class = body.get("order_class")
    if not order_class:
        return []
    profit, loss = body.get("take_profit"), body.get("stop_loss")
    side = str(body["side"])
    common: Document = {
        "symbol": body["symbol"],
        "side": side if order_class == "oco" else OTHER_SIDE[side],
        "qty": body["qty"],
        "time_in_force": body["time_in_force"],
        "order_class": order_class,
    }
    legs: list[Document] = []
    if isinstance(profit, dict) and order_class != "oco":
        legs.append(common | {"type": "limit", "limit_price": profit["limit_price"]})
    if isinstance(loss, dict):
        kind = "stop_limit" if "limit_price" in loss else "stop"
        legs.append(common | {"type": kind} | loss)
    origin = str(body["client_order_id"])
    for place, leg in enumerate(legs):
        leg["client_order_id"] = hashlib.md5(f"{origin} {place}".encode(), usedforsecurity=False).hexdigest()
    return legs


def entry_shown(body: Document) -> Document:
    """What an order of a class shows of what it was placed with."""
    shown = {name: value for name, value in body.items() if name not in ("take_profit", "stop_loss")}
    profit = body.get("take_profit")
    if body.get("order_class") == "oco" and isinstance(profit, dict):
        shown["limit_price"] = profit["limit_price"]
    return shown


def follow(order: Order, change: Callable[[Order, str, str], None], wake: Callable[[Order], None]) -> None:
    """After an order of a class has changed: let the others of its class follow."""
    status = str(order.now["status"])
    entry = order.leg_of
    if entry is None:
        for leg in order.legs:
            if status == "filled" and order.now["order_class"] != "oco":
                if leg.now["status"] == "held":
                    change(leg, "new", "new")
                    wake(leg)
            elif status in ("filled", *ENDED_UNFILLED) and leg.is_open:
                change(leg, "canceled", "canceled")
        return
    others = [leg for leg in entry.legs if leg is not order]
    if entry.now["order_class"] == "oco":
        others.append(entry)
    if status in ("filled", *ENDED_UNFILLED):
        for other in others:
            if other.is_open:
                change(other, "canceled", "canceled")
