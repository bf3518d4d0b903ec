"""The admin API: the ground truth, and what the sandbox saw of its clients."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from worker.sandbox.admin_tools import Routes, chosen, number
from worker.sandbox.book import Book
from worker.sandbox.rates import Rates
from worker.sandbox.truth import Truth
from worker.sandbox.values import Json, decimal_text

MAX_CALLS: Final = 10_000
MAX_ORDERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class AdminTruth:
    """Handlers that only read."""

    book: Book
    truth: Truth
    rates: Rates

    def routes(self) -> Routes:
        """Which path leads to which."""
        return (
            ("GET", "/admin/summary", self.get_summary),
            ("GET", "/admin/truth", self.get_truth),
            ("GET", "/admin/orders", self.get_orders),
            ("GET", "/admin/posts", self.get_posts),
            ("GET", "/admin/calls", self.get_calls),
            ("GET", "/admin/positions", self.get_positions),
            ("GET", "/admin/rates", self.get_rates),
        )

    async def get_summary(self, _request: Request) -> Json:
        """Counts: orders, duplicates, POSTs, calls under way, late orders still to come."""
        self.book.settle()
        return self.truth.summary()

    async def get_truth(self, request: Request) -> Json:
        """Orders with their chains and fills, and positions: a page after ?after=, at most ?limit=."""
        self.book.settle()
        after, limit = number(request, "after", 0), number(request, "limit", MAX_ORDERS)
        return self.truth.everything(
            request.query_params.get("account"), after=after, limit=min(limit, MAX_ORDERS)
        )

    async def get_orders(self, request: Request) -> Json:
        """Every order that exists; ?account= and ?client_order_id= narrow it."""
        self.book.settle()
        return self.truth.orders(*chosen(request))

    async def get_posts(self, request: Request) -> Json:
        """POSTs by client_order_id, refused and cut ones included."""
        self.book.settle()
        return self.truth.posts(*chosen(request))

    async def get_calls(self, request: Request) -> Json:
        """The call log after ?after= call number, at most ?limit=."""
        self.book.settle()
        after, limit = number(request, "after", 0), number(request, "limit", MAX_CALLS)
        return self.truth.calls(*chosen(request), after=after, limit=min(limit, MAX_CALLS))

    async def get_positions(self, _request: Request) -> Json:
        """Every holding that is not flat."""
        self.book.settle()
        return [
            {
                "account": account,
                "symbol": symbol,
                "qty": decimal_text(position.qty),
                "cost": decimal_text(position.cost),
            }
            for account, symbol, position in self.book.store.positions()
        ]

    async def get_rates(self, _request: Request) -> Json:
        """For each key what came in, what was refused, and the fullest windows."""
        return self.rates.shown()
