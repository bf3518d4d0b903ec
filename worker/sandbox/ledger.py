"""What may happen to an order, with all that follows at once: money, holdings, fills, and word to the stream.

Nothing here judges prices or decides when; see matching.py and changes.py. Every method runs inside a
transaction of its caller.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from worker.sandbox.agenda import Agenda
from worker.sandbox.clock import NS
from worker.sandbox.model import Activity, Order, Position, Update
from worker.sandbox.store import Store
from worker.sandbox.values import new_uuid, new_york

MS: Final = NS // 1000

# The event of a status that an order is put into; the others are told by fills, or not at all.
EVENTS: Final = frozenset(
    {
        "new", "accepted", "pending_new", "canceled", "expired", "done_for_day", "replaced", "rejected",
        "stopped", "pending_cancel", "pending_replace", "calculated", "suspended", "held",
    }
)  # fmt: skip


class Ledger:
    """The one place that changes orders and holdings."""

    def __init__(self, store: Store, agenda: Agenda, tell: Callable[[Update], None]) -> None:
        self.store = store
        self.agenda = agenda
        self.settings = store.settings()
        self._tell = tell

    # Orders

    def add(self, order: Order) -> None:
        """Take a new order into the book."""
        self.store.orders.insert(order)
        if order.reserved:
            self.store.reserve(order.account, order.reserved)
        self._note_due(order)
        if order.status in EVENTS:
            self.say(order.status, order, order.updated_ns)

    def change(self, before: Order, after: Order, event: str | None = None) -> Order:
        """Write what changed, and say so."""
        self.store.orders.update(before, after)
        if after.due_ns is not None and (before.due_ns, before.due) != (after.due_ns, after.due):
            self._note_due(after)
        if event is not None:
            self.say(event, after, after.updated_ns)
        return after

    def put_into(
        self,
        before: Order,
        status: str,
        at_ns: int,
        event: str | None = None,
        *,
        changed: Order | None = None,
    ) -> Order:
        """Put an order into a status; what it holds back is free once it has ended. Clears what was due.

        The stream is told, by the status's own event unless another is named. What else changes with it, the
        caller has `changed`.
        """
        order = changed or before
        after = order._replace(
            due_ns=None,
            due=None,
            due_qty=None,
            due_price=None,
            resumes=None,
            status=status,
            updated_ns=at_ns,
            expired_ns=at_ns if status == "expired" else order.expired_ns,
            canceled_ns=at_ns if status == "canceled" else order.canceled_ns,
            failed_ns=at_ns if status == "rejected" else order.failed_ns,
            replaced_ns=at_ns if status == "replaced" else order.replaced_ns,
        )
        if not after.is_open:
            self.release(order, order.reserved)
            after = after._replace(reserved=Decimal(0))
        return self.change(before, after, event or (status if status in EVENTS else None))

    def release(self, order: Order, amount: Decimal) -> None:
        """Give back buying power that an order held."""
        if amount:
            self.store.reserve(order.account, -amount)

    def say(
        self,
        event: str,
        order: Order,
        at_ns: int,
        execution: Activity | None = None,
        position_qty: Decimal | None = None,
    ) -> None:
        """Tell the stream."""
        self._tell(
            Update(event=event, order=order, at_ns=at_ns, execution=execution, position_qty=position_qty)
        )

    def _note_due(self, order: Order) -> None:
        if order.due_ns is not None and order.due is not None:
            self.agenda.add(order.due_ns, order.due, order.id)

    # Fills

    def fill(
        self,
        order: Order,
        qty: Decimal,
        price: Decimal,
        at_ns: int,
        *,
        complete: bool,
        visible_after_ns: int | None = None,
    ) -> Order:
        """Book a fill: the order, its money, the holding, an activity, an event.

        An order that has ended already stays in its status: a fill may come to light late.
        """
        filled, spent = order.filled_qty + qty, self._spent(order) + qty * price
        # What is reserved goes back in step with what is filled.
        whole = order.qty * price if order.qty is not None else order.notional or Decimal(1)
        kept = Decimal(0) if complete else max(Decimal(0), order.reserved * (1 - qty * price / whole))
        self.release(order, order.reserved - kept)
        status = ("filled" if complete else "partially_filled") if order.is_open else order.status
        after = order._replace(
            status=status,
            filled_qty=filled,
            filled_avg_price=_average(spent, filled),
            filled_ns=at_ns,
            updated_ns=at_ns,
            reserved=kept,
        )
        # Acceptance is overtaken; a cancel that is under way goes on, and a replace if there is a rest.
        if order.due in ("accept", "reject") or (complete and order.is_replaced_soon):
            after = nothing_due(after)
        self.store.orders.update(order, after)
        kind = "fill" if complete else "partial_fill"
        delay_ns = self.settings.fill_delay_ms * MS if visible_after_ns is None else visible_after_ns
        execution = self._record(after, kind, qty, price, at_ns, visible_ns=at_ns + delay_ns)
        held = self._move(after, qty, price, is_purchase=after.side == "buy")
        self.say(kind, after, at_ns, execution, held)
        return after

    def bust(self, execution: Activity, at_ns: int) -> Activity:
        """Take a fill back, as if it had never been."""
        return self._reverse(execution, "trade_bust", None, None, at_ns)

    def correct(
        self, execution: Activity, qty: Decimal | None, price: Decimal | None, at_ns: int
    ) -> Activity:
        """Set a fill right: another quantity, another price, or both."""
        qty, price = qty or execution.qty, price or execution.price
        return self._reverse(execution, "trade_correct", qty, price, at_ns)

    def _reverse(
        self, execution: Activity, kind: str, qty: Decimal | None, price: Decimal | None, at_ns: int
    ) -> Activity:
        """Undo an execution and perhaps put another in its place; the order's status stays."""
        order = self.store.orders.there(execution.order_id)
        is_purchase = order.side == "buy"
        held = self._move(order, -execution.qty, execution.price, is_purchase=is_purchase)
        filled = order.filled_qty - execution.qty
        spent = self._spent(order) - execution.qty * execution.price
        self.store.activities.supersede(execution)
        if qty is not None and price is not None:
            held = self._move(order, qty, price, is_purchase=is_purchase)
            filled += qty
            spent += qty * price
        after = order._replace(filled_qty=filled, filled_avg_price=_average(spent, filled), updated_ns=at_ns)
        self.store.orders.update(order, after)
        reversal = self._record(
            after,
            kind,
            qty or execution.qty,
            price or execution.price,
            at_ns,
            visible_ns=None if self.settings.activity_busts == "hidden" else at_ns,
            previous=execution.execution_id,
        )
        self.say(kind, after, at_ns, reversal, held)
        return reversal

    def _spent(self, order: Order) -> Decimal:
        """What the filled part of an order cost, from its executions and what it took over from another."""
        if not order.filled_qty:
            return Decimal(0)
        live = [execution for execution in self.store.activities.of_order(order.id) if execution.live]
        taken_over = order.filled_qty - sum(execution.qty for execution in live)
        spent = sum((execution.qty * execution.price for execution in live), Decimal(0))
        if taken_over and order.replaces is not None:
            spent += taken_over * (self.store.orders.there(order.replaces).filled_avg_price or Decimal(0))
        return spent

    def _record(
        self,
        order: Order,
        kind: str,
        qty: Decimal,
        price: Decimal,
        at_ns: int,
        *,
        visible_ns: int | None,
        previous: str | None = None,
    ) -> Activity:
        execution_id = new_uuid()
        activity = Activity(
            id=activity_id(at_ns, execution_id),
            execution_id=execution_id,
            previous_execution_id=previous,
            account=order.account,
            order_id=order.id,
            type=kind,
            at_ns=at_ns,
            visible_ns=visible_ns,
            symbol=order.symbol,
            side=order.side,
            qty=qty,
            price=price,
            cum_qty=order.filled_qty,
            leaves_qty=max(Decimal(0), order.leaves_qty(price)) if order.is_open else Decimal(0),
            order_status=order.status,
            live=kind != "trade_bust",
        )
        self.store.activities.insert(activity)
        return activity

    def _move(self, order: Order, qty: Decimal, price: Decimal, *, is_purchase: bool) -> Decimal:
        """Move money and holding by a trade, or back by a negative one. Returns what is held then."""
        signed = qty if is_purchase else -qty
        after = self.store.position(order.account, order.symbol).after(signed, price)
        if is_purchase and "/" in order.symbol and self.settings.crypto_fee:
            # The fee is taken from the coin: it shows in the holding and nowhere else [D/M].
            after = replace(after, qty=after.qty - signed * self.settings.crypto_fee)
        self.put_position(order.account, order.symbol, after, paid=signed * price)
        return after.qty

    def put_position(
        self, account_name: str, symbol: str, after: Position, *, paid: Decimal = Decimal(0)
    ) -> None:
        """Write a holding, and what it cost into the account's sums."""
        account = self.store.account(account_name)
        before = self.store.position(account_name, symbol)
        self.store.save_position(account_name, symbol, after)
        self.store.save_account(
            replace(
                account,
                cash=account.cash - paid,
                long_cost=account.long_cost + max(after.cost, Decimal(0)) - max(before.cost, Decimal(0)),
                short_cost=account.short_cost - min(after.cost, Decimal(0)) + min(before.cost, Decimal(0)),
            )
        )


def nothing_due(order: Order) -> Order:
    """The order with nothing that happens by itself."""
    return order._replace(due_ns=None, due=None, due_qty=None, due_price=None, resumes=None)


def activity_id(at_ns: int, execution_id: str) -> str:
    """New York's local time to the millisecond, two colons, the execution: do not parse it [M]."""
    local = new_york(at_ns)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{execution_id}"


def _average(spent: Decimal, filled: Decimal) -> Decimal | None:
    """To six decimals, and to twelve below one dollar: a million coins may cost seven."""
    if not filled:
        return None
    average = spent / filled
    return average.quantize(Decimal("1e-12") if average < 1 else Decimal("1e-6"))
