"""The book of a broker with a long past of one account, prepared before anything is measured."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.bench.carrying import Document, Minutes, accepted

if TYPE_CHECKING:
    from tests.bench.carrying import Request

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
APART = timedelta(seconds=10)
OPEN = 100
SYMBOLS = 200


def time_text(at: datetime) -> str:
    """Times in one form, so that they sort as texts."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def an_order(number: int, many: int) -> dict[str, object]:
    """One order of the past: bought by hand, two fills; the newest ones are half filled and rest."""
    at = time_text(NOW - (many - number) * APART)
    rests = number >= many - OPEN
    order: dict[str, object] = {
        "client_order_id": f"by-hand-{number}", "symbol": f"S{number % SYMBOLS}",
        "qty": "20" if rests else "10", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "185.02",
    }  # fmt: skip
    return accepted(order, f"order-{number}") | {
        "created_at": at, "updated_at": at, "submitted_at": at, "filled_at": None if rests else at,
        "status": "partially_filled" if rests else "filled", "filled_qty": "10", "filled_avg_price": "185.01",
        "source": None,
    }  # fmt: skip


def a_fill(order: dict[str, object], number: int, part: int) -> dict[str, object]:
    """One of the two fills of an order."""
    return {
        "id": f"{number:010d}{part}::f{number}-{part}", "activity_type": "FILL",
        "type": "partial_fill" if part == 0 or order["status"] == "partially_filled" else "fill",
        "transaction_time": order["submitted_at"], "order_id": order["id"], "order_status": order["status"],
        "symbol": order["symbol"], "side": "buy", "price": "185.01", "qty": "5", "cum_qty": str(5 + 5 * part),
        "leaves_qty": str(5 - 5 * part),
    }  # fmt: skip


@dataclass(slots=True)
class Book:
    """Everything that the broker knows of one account, found by time and by id as the broker finds it."""

    many: int
    minutes: Minutes
    orders: list[dict[str, object]] = field(init=False)
    order_times: list[str] = field(init=False)
    fills: list[dict[str, object]] = field(init=False)
    fill_ids: list[str] = field(init=False)
    positions: list[dict[str, object]] = field(init=False)

    def __post_init__(self) -> None:
        self.orders = [an_order(number, self.many) for number in range(self.many)]
        self.order_times = [str(order["submitted_at"]) for order in self.orders]
        self.fills = [
            a_fill(order, number, part) for number, order in enumerate(self.orders) for part in range(2)
        ]
        self.fill_ids = [str(fill["id"]) for fill in self.fills]
        held: dict[str, int] = {}
        for order in self.orders:
            held[str(order["symbol"])] = held.get(str(order["symbol"]), 0) + 10
        self.positions = [
            {"symbol": symbol, "qty": str(qty), "side": "long", "avg_entry_price": "185.01",
             "current_price": "186", "asset_class": "us_equity"}
            for symbol, qty in held.items()
        ]  # fmt: skip

    def headers(self, request: Request) -> dict[str, str]:
        """What is left of the minute."""
        return self.minutes.headers(request)

    def answer(self, request: Request) -> Document:
        """The page, or the list, that is asked for."""
        query = request.query or {}
        match request.kind:
            case "get_account":
                return {"id": f"{request.account}-id"}
            case "list_orders" if query["status"] == "open":
                after = query.get("after", "")
                return [order for order in self.orders[-OPEN:] if str(order["submitted_at"]) > after]
            case "list_orders":
                first = bisect_right(self.order_times, query["after"])
                return self.orders[first : first + int(query["limit"])]
            case "list_fills":
                # fills bear the times of their orders, two of each
                first = 2 * bisect_right(self.order_times, query["after"])
                if "page_token" in query:
                    first = bisect_left(self.fill_ids, query["page_token"]) + 1
                return self.fills[first : first + int(query["page_size"])]
            case _:
                assert request.kind == "list_positions", request
                return self.positions
