"""Whether what is held and may be filled stays within the limits that stand from the beginning."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulator.world import ViolationError, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulator.book import Book, Order
    from tests.simulator.oracle import Oracle

LOWEST = Decimal(90)
"""No price is lower: whatever something is worth in dollars, it is worth that."""


class Ceilings:
    """Judges the orders of an account as the broker takes them."""

    def __init__(self, book: Book, oracle: Oracle) -> None:
        self._book, self._oracle = book, oracle

    def judge(self, order: Order) -> None:
        """Raise if an order makes more possible than is allowed, where nothing unforeseeable has happened."""
        account, symbol, side = self._book.account, str(order.now["symbol"]), order.now["side"]
        name = f"{short(order.client_order_id)} of {account.name}"
        orders = self._of_symbols().get(symbol, [])
        if self._is_calm(symbol, orders):
            held = self._book.positions().get(symbol, Decimal(0))
            longest, shortest = worst(orders, held)
            if account.ceiling is not None and (longest if side == "buy" else shortest) > account.ceiling:
                raise ViolationError(f"{name}: {longest} long or {shortest} short of {symbol} are possible")
            if not account.sells_short and side == "sell" and shortest > 0:
                raise ViolationError(
                    f"{name}: {shortest} short of {symbol} are possible, and none are allowed"
                )
            self._judge_strategy(order, orders, symbol)
        if account.exposure is not None:
            self._judge_exposure(name, account.exposure)

    def _judge_strategy(self, order: Order, orders: list[Order], symbol: str) -> None:
        ceiling = self._book.account.ceiling_of_strategy
        strategy = self._strategy_of(order)
        if ceiling is None or strategy is None:
            return
        own = {each.order_id: each for each in orders if self._strategy_of(each) == strategy}
        trades = (trade.signed for trade in self._book.trades if trade.order.order_id in own)
        longest, shortest = worst(own.values(), sum(trades, Decimal(0)))
        if (longest if order.now["side"] == "buy" else shortest) > ceiling:
            raise ViolationError(f"{strategy}: {longest} long or {shortest} short of {symbol} are possible")

    def _judge_exposure(self, name: str, exposure: int) -> None:
        total, positions = Decimal(0), self._book.positions()
        for symbol, orders in self._of_symbols().items():
            if not self._is_calm(symbol, orders):
                return
            total += LOWEST * max(worst(orders, positions.get(symbol, Decimal(0))))
        if total > exposure:
            raise ViolationError(f"{name}: more than {total} dollars may be held, and {exposure} are allowed")

    def _is_calm(self, symbol: str, orders: list[Order]) -> bool:
        return symbol not in self._book.disturbed and not any(
            order.by_hand or order.late or order.hidden or order.mismatched for order in orders
        )

    def _of_symbols(self) -> dict[str, list[Order]]:
        orders: dict[str, list[Order]] = {}
        for order in self._book.orders.values():
            orders.setdefault(str(order.now["symbol"]), []).append(order)
        return orders

    def _strategy_of(self, order: Order) -> str | None:
        known = self._oracle.decisions.get((order.leg_of or order).client_order_id)
        return None if known is None else known.strategy


def worst(orders: Iterable[Order], held: Decimal) -> tuple[Decimal, Decimal]:
    """How long and how short a position may become: if all orders of one side fill, and none of the other.

    Of exits that cancel each other the larger counts.
    """
    sides = {"buy": Decimal(0), "sell": Decimal(0)}
    groups: dict[tuple[str, str], Decimal] = {}
    for order in orders:
        side, left = str(order.now["side"]), order.left
        if not order.is_open or order.now["status"] == "held":
            continue
        if order.leg_of is None and not order.legs:
            sides[side] += left
            continue
        group = ((order.leg_of or order).order_id, side)
        groups[group] = max(left, groups.get(group, Decimal(0)))
    for (_, side), left in groups.items():
        sides[side] += left
    return held + sides["buy"], sides["sell"] - held
