"""Decisions of every kind: stops, trailing stops, orders of a class, parts of a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.book import Document

SIMPLE = ("as it is", "stop", "stop_limit", "trailing_stop", "extended", "part of a share")
OF_A_CLASS = ("bracket", "oto", "oco")


def mixed(document: Document, dice: Random) -> Document:
    """A decision, made one of any kind that its symbol allows."""
    decided = document | {"reference_price": "100"}
    crypto, buys = "/" in str(decided["symbol"]), decided["action"] == "buy"
    if dice.random() < 0.2:
        buys = not buys
        decided["action"] = "buy" if buys else "sell"
    if "notional" in decided:
        return decided
    kind = dice.choice((*SIMPLE, *SIMPLE, *OF_A_CLASS))
    if crypto:
        kind = "part of a share" if dice.random() < 0.5 else "as it is"
    match kind:
        case "stop" | "stop_limit":
            decided.pop("limit_price", None)
            decided |= {"order_type": kind, "stop_price": "104" if buys else "96"}
            if kind == "stop_limit":
                decided["limit_price"] = "105" if buys else "95"
        case "trailing_stop":
            decided.pop("limit_price", None)
            decided |= {"order_type": kind, dice.choice(("trail_price", "trail_percent")): "2.5"}
        case "extended":
            decided |= {"order_type": "limit", "limit_price": "99.5", "extended_hours": True}
        case "part of a share":
            decided["qty"] = f"{decided['qty']}.{dice.randint(1, 9)}"
        case "bracket" | "oto" | "oco":
            decided["order_class"] = kind
            sells_out = buys != (kind == "oco")
            high, low = {"limit_price": "109"}, {"stop_price": "91"}
            profit, loss = (high, low) if sells_out else ({"limit_price": "91"}, {"stop_price": "109"})
            if dice.random() < 0.4:
                loss = loss | {"limit_price": "90" if sells_out else "110"}
            exits: Document = {"take_profit": profit, "stop_loss": loss}
            if kind == "oto":
                exits.pop(dice.choice(("take_profit", "stop_loss")))
            if kind == "oco":
                decided["order_type"] = "limit"
                decided.pop("limit_price", None)
            decided |= exits
    return decided
