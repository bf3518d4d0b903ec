"""The order book: takes orders, lets them fill at given prices, and makes what is due happen.

There are no timers. Whatever happens later (acceptance, a late order, an asynchronous reject) is a row of the
table `due`, and every call first settles what is due by the sandbox's clock. So a restart loses nothing, and
two runs with the same clock readings end the same.
"""

import heapq
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from worker.sandbox.checks import Case, collared, judge
from worker.sandbox.clock import NS, Clock
from worker.sandbox.errors import ApiError
from worker.sandbox.model import (
    STATUSES,
    WORKING,
    Account,
    LateOrder,
    Order,
    OrderRequest,
    Position,
    Quote,
    Settings,
)
from worker.sandbox.store import Store
from worker.sandbox.validation import read_members, read_order
from worker.sandbox.values import Json, session_close_ns

MS = NS // 1000
GTC_LIFE_NS = 90 * 86_400 * NS  # [D/M]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a fault has in store for an order that is about to be created."""

    hide_s: float = 0
    reject_after_s: float | None = None


class Book:
    """All orders of all accounts. Every public method is one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.settings = store.settings()
        self._due = store.due()
        heapq.heapify(self._due)

    # Orders that come in

    def submit(
        self, account_name: str, members: Mapping[str, Json] | None, fate: Fate, call_no: int
    ) -> Order:
        """Judge and create an order, or raise the ApiError that refuses it."""
        request = read_order(members)
        with self.store.transaction():
            return self._create(account_name, request, fate, "post", self.clock.now_ns(), call_no)

    def submit_late(self, account_name: str, body: str, fate: Fate, call_no: int, after_s: float) -> None:
        """Have an order judged and created only later, as if its POST had been stuck on the way."""
        due_ns = self.clock.now_ns() + round(after_s * NS)
        late = LateOrder(call_no, due_ns, account_name, body, fate.hide_s, fate.reject_after_s)
        self.store.add_late_order(late)
        heapq.heappush(self._due, (due_ns, "insert", str(call_no)))

    def place_by_hand(self, account_name: str, request: OrderRequest) -> Order:
        """Create an order that no POST asked for: no checks, not even that the id is free."""
        with self.store.transaction():
            return self._insert(
                self._case(account_name, request), Fate(), "admin", self.clock.now_ns(), call_no=None
            )

    def _case(self, account_name: str, request: OrderRequest) -> Case:
        return Case(
            store=self.store,
            settings=self.settings,
            account=self.store.account(account_name),
            request=request,
            asset=self.store.asset(request.symbol),
            quote=self.store.quote(request.symbol),
            position=self.store.position(account_name, request.symbol),
        )

    def _create(
        self,
        account_name: str,
        request: OrderRequest,
        fate: Fate,
        origin: str,
        now_ns: int,
        call_no: int | None,
    ) -> Order:
        if self.settings.rewrite_buy_stop and (request.type, request.side) == ("stop", "buy"):
            stop_price = request.stop_price or Decimal(0)
            request = replace(request, type="stop_limit", limit_price=collared(stop_price))
        case = self._case(account_name, request)
        judge(case)
        return self._insert(case, fate, origin, now_ns, call_no)

    def _insert(self, case: Case, fate: Fate, origin: str, now_ns: int, call_no: int | None) -> Order:
        request, is_open = case.request, self.settings.market == "open"
        due_ns, due = None, None
        if fate.reject_after_s is not None:
            due_ns, due = now_ns + round(fate.reject_after_s * NS), "reject"
        elif is_open and self.settings.accept_after_ms is not None:
            due_ns, due = now_ns + self.settings.accept_after_ms * MS, "accept"
        order = Order(
            id=str(uuid.uuid4()),
            account=case.account.name,
            client_order_id=request.client_order_id,
            origin=origin,
            created_ns=now_ns,
            updated_ns=now_ns,
            submitted_ns=now_ns,
            expires_ns=now_ns + GTC_LIFE_NS if request.time_in_force == "gtc" else session_close_ns(now_ns),
            visible_ns=now_ns + round(fate.hide_s * NS),
            symbol=request.symbol,
            asset_class="crypto" if request.is_crypto else "us_equity",
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            position_intent=case.intent,
            status="pending_new" if is_open else "accepted",
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            extended_hours=request.extended_hours,
            reserved=case.reserve,
            call_no=call_no,
            due_ns=due_ns,
            due=due,
        )
        self.store.insert_order(order)
        if order.reserved:
            self.store.reserve(order.account, order.reserved)
        if due_ns is not None and due is not None:
            heapq.heappush(self._due, (due_ns, due, order.id))
        return order

    # What falls due

    def settle(self) -> None:
        """Make everything happen that is due by now, in the order of its time."""
        now_ns = self.clock.now_ns()
        if not self._due or self._due[0][0] > now_ns:
            return
        with self.store.transaction():
            while self._due and self._due[0][0] <= now_ns:
                self._happen(*heapq.heappop(self._due))

    def _happen(self, due_ns: int, what: str, subject: str) -> None:
        """Let one thing happen, unless it was overtaken by another."""
        if what == "insert":
            late = self.store.take_late_order(int(subject))
            if late is not None:
                self._insert_late(late)
            return
        order = self.store.order(subject)
        if order is None or (order.due_ns, order.due) != (due_ns, what):
            return
        if what == "accept":
            self._accept(order, due_ns)
        else:
            self._finish(order, "rejected", due_ns)

    def _insert_late(self, late: LateOrder) -> None:
        fate = Fate(hide_s=late.hide_s, reject_after_s=late.reject_after_s)
        try:
            request = read_order(read_members(late.body))
            self._create(late.account, request, fate, "late", late.due_ns, late.call_no)
        except ApiError as refusal:
            note = f"late order refused: {refusal.status} {refusal.message}"
            self.store.annotate_call(late.call_no, note)

    def _accept(self, order: Order, at_ns: int) -> None:
        """From pending_new to new; submitted_at moves along [M REC]. Then it may fill at once."""
        submitted_ns = at_ns if self.settings.shift_submitted_at else order.submitted_ns
        accepted = replace(
            order, status="new", submitted_ns=submitted_ns, updated_ns=at_ns, due_ns=None, due=None
        )
        self.store.update_order(order, accepted)
        order = self._try_to_fill(accepted, at_ns)
        if order.is_open and order.time_in_force in ("ioc", "fok"):
            self._finish(order, "canceled", at_ns)

    # Prices and fills

    def set_price(self, symbol: str, quote: Quote | None) -> None:
        """Give a symbol a price; every working order that it satisfies fills, oldest first."""
        self.settle()
        with self.store.transaction():
            self.store.save_quote(symbol, quote)
            if quote is None or self.settings.market != "open":
                return
            for order in self.store.open_orders(symbol):
                if order.status in WORKING:
                    self._try_to_fill(order, self.clock.now_ns())

    def _try_to_fill(self, order: Order, at_ns: int) -> Order:
        quote = self.store.quote(order.symbol)
        if quote is None:
            return order
        if not order.triggered and _reaches_stop(order, quote.price):
            self.store.update_order(order, replace(order, triggered=True))
            order = replace(order, triggered=True)
        if not _is_marketable(order, quote.price):
            return order
        leaves = order.leaves_qty(quote.price)
        qty = leaves if quote.size is None else min(leaves, quote.size)
        if qty <= 0 or (order.time_in_force == "fok" and qty < leaves):
            return order
        if quote.size is not None:
            self.store.save_quote(order.symbol, replace(quote, size=quote.size - qty))
        return self._fill(order, qty, quote.price, at_ns, complete=qty == leaves)

    def fill_by_hand(self, order: Order, qty: Decimal | None, price: Decimal) -> Order:
        """Fill a part of an order (or its rest) at any price, whatever its limit says."""
        leaves = order.leaves_qty(price)
        part = leaves if qty is None else min(qty, leaves)
        with self.store.transaction():
            return self._fill(order, part, price, self.clock.now_ns(), complete=part == leaves)

    def _fill(self, order: Order, qty: Decimal, price: Decimal, at_ns: int, *, complete: bool) -> Order:
        filled = order.filled_qty + qty
        spent = order.filled_qty * (order.filled_avg_price or Decimal(0)) + qty * price
        # What is reserved goes back in step with what is filled.
        whole = order.qty * price if order.qty is not None else order.notional or Decimal(1)
        kept = Decimal(0) if complete else max(Decimal(0), order.reserved * (1 - qty * price / whole))
        self._release(order, order.reserved - kept)
        after = replace(
            order,
            status="filled" if complete else "partially_filled",
            filled_qty=filled,
            filled_avg_price=(spent / filled).quantize(Decimal("1e-6")),
            filled_ns=at_ns,
            updated_ns=at_ns,
            reserved=kept,
            due_ns=None,
            due=None,
        )
        self.store.update_order(order, after)
        self._move_position(order.account, order.symbol, qty if order.side == "buy" else -qty, price)
        return after

    def _move_position(self, account_name: str, symbol: str, qty: Decimal, price: Decimal) -> None:
        account = self.store.account(account_name)
        before = self.store.position(account_name, symbol)
        after = _moved(before, qty, price)
        self.store.save_position(account_name, symbol, after)
        self.store.save_account(
            replace(
                account,
                cash=account.cash - qty * price,
                long_cost=account.long_cost + max(after.cost, Decimal(0)) - max(before.cost, Decimal(0)),
                short_cost=account.short_cost - min(after.cost, Decimal(0)) + min(before.cost, Decimal(0)),
            )
        )

    # Ends and hand-made states

    def set_status(self, order: Order, status: str) -> Order:
        """Put an order into any status: stuck, canceled, expired, rejected, back to new."""
        assert status in STATUSES
        with self.store.transaction():
            return self._finish(order, status, self.clock.now_ns())

    def _finish(self, order: Order, status: str, at_ns: int) -> Order:
        ended = replace(
            order,
            status=status,
            updated_ns=at_ns,
            expired_ns=at_ns if status == "expired" else order.expired_ns,
            canceled_ns=at_ns if status == "canceled" else order.canceled_ns,
            failed_ns=at_ns if status == "rejected" else order.failed_ns,
            due_ns=None,
            due=None,
        )
        if not ended.is_open:
            self._release(order, order.reserved)
            ended = replace(ended, reserved=Decimal(0))
        self.store.update_order(order, ended)
        return ended

    def _release(self, order: Order, amount: Decimal) -> None:
        if amount:
            self.store.reserve(order.account, -amount)

    # Settings and accounts

    def change_settings(self, settings: Settings) -> None:
        """Take new settings; opening the market accepts what queued up."""
        self.settle()
        opens = self.settings.market != "open" and settings.market == "open"
        with self.store.transaction():
            self.store.save_settings(settings)
            self.settings = settings
            if opens:
                for order in self.store.orders_where("status = 'accepted'", [], "seq", -1):
                    self._accept(order, self.clock.now_ns())

    def save_account(self, account: Account) -> None:
        """Create an account or overwrite it."""
        with self.store.transaction():
            self.store.save_account(account)

    def forget_everything(self) -> None:
        """Back to an empty book; accounts stay."""
        self.store.forget_everything()
        self.settings = self.store.settings()
        self._due = []


def _reaches_stop(order: Order, price: Decimal) -> bool:
    if order.stop_price is None:
        return False
    return price >= order.stop_price if order.side == "buy" else price <= order.stop_price


def _is_marketable(order: Order, price: Decimal) -> bool:
    if order.stop_price is not None and not order.triggered:
        return False
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side == "buy" else price >= order.limit_price


def _moved(position: Position, qty: Decimal, price: Decimal) -> Position:
    """A position after a trade; what is closed leaves at its average cost."""
    total = position.qty + qty
    if position.qty == 0 or (position.qty > 0) == (qty > 0):
        return Position(qty=total, cost=position.cost + qty * price)
    if total == 0:
        return Position()
    if (total > 0) == (position.qty > 0):
        return Position(qty=total, cost=position.cost * total / position.qty)
    return Position(qty=total, cost=total * price)
