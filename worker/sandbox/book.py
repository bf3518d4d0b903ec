"""The order book: takes orders and changes to them, and makes what is due happen.

There are no timers. Whatever happens later (acceptance, a late order, a cancel) is a row of the tables and an
entry of the agenda, and every call first settles what is due by the sandbox's clock. So a restart loses
nothing, and two runs with the same clock readings end the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from worker.sandbox.agenda import Agenda
from worker.sandbox.changes import AS_ASKED, Changes, Outcome
from worker.sandbox.checks import Case, collared, judge
from worker.sandbox.clock import NS, Clock
from worker.sandbox.errors import ApiError
from worker.sandbox.ledger import MS, Ledger
from worker.sandbox.matching import Matching
from worker.sandbox.model import Account, Activity, LateOrder, Order, OrderRequest, Position, Quote, Update
from worker.sandbox.settings import Settings
from worker.sandbox.store import Store
from worker.sandbox.validation import read_members, read_order
from worker.sandbox.values import Json, expires_ns, new_uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What faults have in store for a call that creates, cancels or replaces an order."""

    hide_s: float = 0
    reject_after_s: float | None = None
    cancel: Outcome = AS_ASKED
    replace: Outcome = AS_ASKED


class Book:
    """All orders of all accounts. Every public method is one transaction."""

    def __init__(self, store: Store, clock: Clock, tell: Callable[[Update], None]) -> None:
        self.store = store
        self.clock = clock
        self.agenda = Agenda(store.due())
        self._ledger = Ledger(store, self.agenda, tell)
        self._matching = Matching(self._ledger)
        self._changes = Changes(self._ledger, self._matching)

    @property
    def settings(self) -> Settings:
        """How this Alpaca behaves."""
        return self._ledger.settings

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
        self.agenda.add(due_ns, "insert", str(call_no))

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
        # What is accepted at once was never pending: one write instead of two.
        at_once = due_ns == now_ns and due == "accept"
        order = Order(
            id=new_uuid(),
            account=case.account.name,
            client_order_id=request.client_order_id,
            origin=origin,
            created_ns=now_ns,
            updated_ns=now_ns,
            submitted_ns=now_ns,
            expires_ns=expires_ns(request.time_in_force, now_ns),
            visible_ns=now_ns + round(fate.hide_s * NS),
            symbol=request.symbol,
            asset_class="crypto" if request.is_crypto else "us_equity",
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            position_intent=case.intent,
            status="new" if at_once else "pending_new" if is_open else "accepted",
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            extended_hours=request.extended_hours,
            reserved=case.reserve,
            call_no=call_no,
            trail_price=request.trail_price,
            trail_percent=request.trail_percent,
            due_ns=None if at_once else due_ns,
            due=None if at_once else due,
            order_class=request.order_class,
        )
        self._ledger.add(order)
        for leg in _legs(order, request):
            self._ledger.add(leg)
        return self._matching.begin_to_work(order, now_ns) if at_once else order

    # Changes

    def cancel(self, order: Order, outcome: Outcome) -> None:
        """Ask for the end of an order, or raise the ApiError that refuses it."""
        with self.store.transaction():
            self._changes.cancel(order, outcome, self.clock.now_ns())

    def cancel_all(self, account_name: str, outcome: Outcome) -> list[tuple[str, ApiError | None]]:
        """Ask for the end of every open order; says for each whether the request was taken."""
        answers: list[tuple[str, ApiError | None]] = []
        with self.store.transaction():
            for order in self.store.orders.open_of_account(account_name):
                refusal = None
                try:
                    self._changes.cancel(self.store.orders.there(order.id), outcome, self.clock.now_ns())
                except ApiError as error:
                    refusal = error
                answers.append((order.id, refusal))
        return answers

    def replace(
        self, order: Order, members: Mapping[str, Json] | None, outcome: Outcome, call_no: int
    ) -> Order:
        """Ask for another order in the place of one, or raise the ApiError that refuses it."""
        with self.store.transaction():
            return self._changes.replace(order, members, outcome, self.clock.now_ns(), call_no)

    # What falls due

    def settle(self) -> None:
        """Make everything happen that is due by now, in the order of its time."""
        now_ns = self.clock.now_ns()
        next_ns = self.agenda.next_ns()
        if next_ns is None or next_ns > now_ns:
            return
        with self.store.transaction():
            while (entry := self.agenda.take_due(now_ns)) is not None:
                self._happen(*entry)

    def _happen(self, due_ns: int, what: str, subject: str) -> None:
        """Let one thing happen, unless it was overtaken by another."""
        if what == "insert":
            late = self.store.take_late_order(int(subject))
            if late is not None:
                self._insert_late(late)
            return
        order = self.store.orders.get(subject)
        if order is None or (order.due_ns, order.due) != (due_ns, what):
            return
        match what:
            case "accept":
                self._matching.accept(order, due_ns)
            case "reject":
                self._matching.end(order, "rejected", due_ns)
            case _:
                self._changes.happen(order, due_ns)

    def _insert_late(self, late: LateOrder) -> None:
        fate = Fate(hide_s=late.hide_s, reject_after_s=late.reject_after_s)
        try:
            request = read_order(read_members(late.body))
            self._create(late.account, request, fate, "late", late.due_ns, late.call_no)
        except ApiError as refusal:
            note = f"late order refused: {refusal.status} {refusal.message}"
            self.store.calls.annotate(late.call_no, note)

    # Prices, fills, and what is done by hand

    def set_price(self, symbol: str, quote: Quote | None) -> None:
        """Give a symbol a price; every working order that it satisfies fills, oldest first."""
        self.settle()
        with self.store.transaction():
            self._matching.take_price(symbol, quote, self.clock.now_ns())

    def fill_by_hand(
        self,
        order: Order,
        parts: list[tuple[Decimal | None, Decimal]],
        *,
        alone: bool = False,
        visible_after_s: float | None = None,
    ) -> Order:
        """Fill an order at any prices, whatever its limit says: parts of (qty or the rest, price) at once."""
        after_ns = None if visible_after_s is None else round(visible_after_s * NS)
        now_ns = self.clock.now_ns()
        with self.store.transaction():
            for qty, price in parts:
                leaves = order.leaves_qty(price)
                order = self._matching.fill(
                    order,
                    leaves if qty is None else min(qty, leaves),
                    price,
                    now_ns,
                    alone=alone,
                    visible_after_ns=after_ns,
                )
        return order

    def bust(self, execution: Activity) -> Activity:
        """Take a fill back."""
        with self.store.transaction():
            return self._ledger.bust(execution, self.clock.now_ns())

    def correct(self, execution: Activity, qty: Decimal | None, price: Decimal | None) -> Activity:
        """Set a fill right."""
        with self.store.transaction():
            return self._ledger.correct(execution, qty, price, self.clock.now_ns())

    def set_status(self, order: Order, status: str, event: str | None = None) -> Order:
        """Put an order into any status: stuck, canceled, expired, rejected, back to new."""
        with self.store.transaction():
            return self._matching.end(order, status, self.clock.now_ns(), event)

    def put_position(self, account_name: str, symbol: str, position: Position) -> None:
        """Put a holding by hand, as a transfer does: no order, no fill, no money."""
        with self.store.transaction():
            self._ledger.put_position(account_name, symbol, position)

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Multiply every holding of a symbol; its cost stays."""
        with self.store.transaction():
            for account, held, position in self.store.positions():
                if held == symbol:
                    split = replace(position, qty=position.qty * ratio)
                    self._ledger.put_position(account, symbol, split)

    # Settings and accounts

    def change_settings(self, settings: Settings) -> None:
        """Take new settings; opening the market accepts what queued up."""
        self.settle()
        opens = self.settings.market != "open" and settings.market == "open"
        with self.store.transaction():
            self.store.save_settings(settings)
            self._ledger.settings = settings
            if opens:
                for order in self.store.orders.with_status("accepted"):
                    self._matching.accept(order, self.clock.now_ns())

    def save_account(self, account: Account) -> None:
        """Create an account or overwrite it."""
        with self.store.transaction():
            self.store.save_account(account)

    def forget_everything(self) -> None:
        """Back to an empty book; accounts stay."""
        self.store.forget_everything()
        self._ledger.settings = self.store.settings()
        self.agenda.start_with([])


def _legs(order: Order, request: OrderRequest) -> list[Order]:
    """The exits of a group, held until their time comes; the broker makes up their client_order_ids [D]."""
    if not order.order_class:
        return []
    is_oco = order.order_class == "oco"
    side = order.side if is_oco else ("sell" if order.side == "buy" else "buy")
    intent = f"{side}_to_close"
    leg = order._replace(
        origin="leg",
        side=side,
        position_intent=intent,
        status="held",
        limit_price=None,
        stop_price=None,
        trail_price=None,
        trail_percent=None,
        reserved=Decimal(0),
        due_ns=None,
        due=None,
        parent_id=order.id,
        waits=True,
    )
    legs = []
    if request.take_profit is not None and not is_oco:
        profit = leg._replace(type="limit", limit_price=request.take_profit, leg="take_profit")
        legs.append(profit)
    if request.stop_loss is not None:
        type_ = "stop" if request.stop_loss_limit is None else "stop_limit"
        prices = leg._replace(stop_price=request.stop_loss, limit_price=request.stop_loss_limit)
        legs.append(prices._replace(type=type_, leg="stop_loss"))
    return [leg._replace(id=new_uuid(), client_order_id=new_uuid()) for leg in legs]
