"""Prices and what they do: acceptance, triggers, fills, and what one order of a group does to the others.

A bracket is an entry with two exits, an oto one with one exit, an oco a take profit with a stop loss and no
entry [D WWO]. Legs are created at once, held; the entry's full fill activates them; one exit that fills or
ends takes the others with it. Beside a take profit the stop loss stays held until its price comes, since the
shares are the take profit's [I alpaca-trade-api-js#87].
"""

from dataclasses import replace
from decimal import Decimal

from worker.sandbox.ledger import Ledger
from worker.sandbox.model import WORKING, Order, Quote


class Matching:
    """Fills orders at given prices. Every method runs inside a transaction of its caller."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = ledger.store

    def accept(self, order: Order, at_ns: int) -> Order:
        """From pending_new to new; submitted_at moves along [M REC]."""
        settings = self._ledger.settings
        submitted_ns = at_ns if settings.shift_submitted_at else order.submitted_ns
        moved = order._replace(submitted_ns=submitted_ns)
        return self.begin_to_work(self._ledger.put_into(order, "new", at_ns, changed=moved), at_ns)

    def begin_to_work(self, order: Order, at_ns: int) -> Order:
        """A new order may fill at once, and wakes the other exit if it is one itself."""
        if order.order_class == "oco":
            for leg in self._store.orders.legs(order.id):
                self._activate(leg, at_ns)
        order = self._try_to_fill(order, at_ns)
        if order.is_open and order.time_in_force in ("ioc", "fok"):
            order = self.end(order, "canceled", at_ns)
        return order

    def take_price(self, symbol: str, quote: Quote | None, at_ns: int) -> None:
        """A symbol has a price now; every working order that it satisfies fills, oldest first."""
        self._store.save_quote(symbol, quote)
        if quote is None or self._ledger.settings.market != "open":
            return
        for order in self._store.orders.open_of(symbol):
            current = self._store.orders.there(order.id)  # an earlier fill may have ended it
            if current.status in WORKING or current.status == "held":
                self._try_to_fill(current, at_ns)

    def fill(
        self,
        order: Order,
        qty: Decimal,
        price: Decimal,
        at_ns: int,
        *,
        alone: bool = False,
        visible_after_ns: int | None = None,
    ) -> Order:
        """Fill a part of an order or its rest; alone leaves the others of its group as they are."""
        complete = qty >= order.leaves_qty(price)
        after = self._ledger.fill(
            order, qty, price, at_ns, complete=complete, visible_after_ns=visible_after_ns
        )
        if not after.is_open and order.is_open:
            self._conclude(order, after, at_ns, alone=alone)
        return self._store.orders.there(after.id)

    def end(self, order: Order, status: str, at_ns: int, event: str | None = None) -> Order:
        """Put an order into a status by itself or by hand; when that ends it, its group follows."""
        after = self._ledger.put_into(order, status, at_ns, event)
        if order.is_open and not after.is_open:
            self._conclude(order, after, at_ns)
        return after

    # Prices

    def _try_to_fill(self, order: Order, at_ns: int) -> Order:
        quote = self._store.quote(order.symbol)
        if quote is None or order.waits:
            return order
        if order.type == "trailing_stop":
            order = self._trail(order, quote.price)
        if not order.triggered and _reaches_stop(order, quote.price):
            order = self._trigger(order, at_ns)
        if not _is_marketable(order, quote.price):
            return order
        leaves = order.leaves_qty(quote.price)
        qty = leaves if quote.size is None else min(leaves, quote.size)
        if qty <= 0 or (order.time_in_force == "fok" and qty < leaves):
            return order
        if quote.size is not None:
            self._store.save_quote(order.symbol, replace(quote, size=quote.size - qty))
        return self.fill(order, qty, quote.price, at_ns)

    def _trail(self, order: Order, price: Decimal) -> Order:
        """The stop follows the best price: the highest for a sale, the lowest for a purchase [D POA]."""
        best = max if order.side == "sell" else min
        hwm = price if order.hwm is None else best(order.hwm, price)
        if order.triggered or (hwm == order.hwm and order.stop_price is not None):
            return order
        distance = order.trail_price or hwm * (order.trail_percent or Decimal(0)) / 100
        stop = hwm - distance if order.side == "sell" else hwm + distance
        stop_price = stop.quantize(Decimal("0.01") if stop >= 1 else Decimal("0.0001"))
        return self._ledger.change(order, order._replace(hwm=hwm, stop_price=stop_price))

    def _trigger(self, order: Order, at_ns: int) -> Order:
        """The stop price was reached. A stop loss that was held takes the shares from the take profit."""
        triggered = self._ledger.change(order, order._replace(triggered=True))
        if order.status != "held":
            return triggered
        for other in self._others(triggered):
            self._end_alone(other, "canceled", at_ns)
        return self._ledger.put_into(triggered, "new", at_ns)

    # Groups

    def _conclude(self, before: Order, after: Order, at_ns: int, *, alone: bool = False) -> None:
        """An order has ended: so does a replacement of it that was under way, and its group reacts."""
        self._reject_replacement(before, after, at_ns)
        if alone or not after.order_class or after.status == "replaced":
            return
        if after.status == "filled" and after.parent_id is None and after.order_class != "oco":
            for leg in self._store.orders.legs(after.id):
                self._activate(leg, at_ns)
            return
        for other in self._others(after):
            self._end_alone(other, "canceled", at_ns)

    def _end_alone(self, order: Order, status: str, at_ns: int) -> None:
        self._reject_replacement(order, self._ledger.put_into(order, status, at_ns), at_ns)

    def _reject_replacement(self, before: Order, after: Order, at_ns: int) -> None:
        """A success of the PATCH was no promise: what it was to replace has ended before [D WWO]."""
        if not before.is_replaced_soon or after.status == "replaced":
            return
        replacement = self._store.orders.replacement_of(after.id)
        if replacement is not None and replacement.is_open:
            self._ledger.put_into(replacement, "rejected", at_ns)
        self._ledger.say("order_replace_rejected", after, at_ns)

    def _activate(self, leg: Order, at_ns: int) -> None:
        """An exit comes to life."""
        if not leg.waits or not leg.is_open:
            return
        armed = leg._replace(waits=False)
        if leg.leg == "stop_loss" and self._ledger.settings.stop_leg == "held" and self._others(leg):
            armed = self._ledger.change(leg, armed)
        else:
            armed = self._ledger.put_into(leg, "new", at_ns, changed=armed)
        self._try_to_fill(armed, at_ns)

    def _others(self, order: Order) -> list[Order]:
        """The open orders of the same group."""
        top = order.id if order.parent_id is None else order.parent_id
        group = [self._store.orders.there(top), *self._store.orders.legs(top)]
        return [other for other in group if other.id != order.id and other.is_open]


def _reaches_stop(order: Order, price: Decimal) -> bool:
    if order.stop_price is None:
        return False
    return price >= order.stop_price if order.side == "buy" else price <= order.stop_price


def _is_marketable(order: Order, price: Decimal) -> bool:
    if not order.triggered and (order.stop_price is not None or order.type == "trailing_stop"):
        return False
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side == "buy" else price >= order.limit_price
