"""DELETE and PATCH: what is refused, what is only asked for, and how it ends later [D OAS26, WWO].

A 204 or a 200 says that the request was taken. The order is pending_cancel or pending_replace then, and what
comes of it falls due later; a fault may have another outcome in store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from worker.sandbox import errors
from worker.sandbox.checks import Case, judge_replacement, reserve_for
from worker.sandbox.ledger import MS, Ledger, nothing_due
from worker.sandbox.matching import Matching
from worker.sandbox.model import WORKING, Order, OrderRequest
from worker.sandbox.validation import PRICES, check_rules, read_number, read_text
from worker.sandbox.values import Json, expires_ns, new_uuid

OUTCOMES: Final = ("done", "rejected", "stuck", "filled")
_VERBS: Final = {"done": "", "rejected": "refuse_", "stuck": "", "filled": "fill_and_"}
_LEGS_MAY_CHANGE: Final = frozenset({"limit_price", "stop_price", "client_order_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What comes of a cancel or a replace once it was taken."""

    end: str = "done"
    qty: Decimal | None = None  # of a fill that comes first; all that is left unless said
    price: Decimal | None = None


AS_ASKED: Final = Outcome()


class Changes:
    """Cancels and replaces. Every method runs inside a transaction of its caller."""

    def __init__(self, ledger: Ledger, matching: Matching) -> None:
        self._ledger = ledger
        self._matching = matching
        self._orders = ledger.store.orders

    # What a call asks for

    def cancel(self, order: Order, outcome: Outcome, now_ns: int) -> None:
        """Ask for the end of an order. Raises the ApiError of a refusal."""
        settings = self._ledger.settings
        if order.status == "canceled" and settings.repeat_cancel_status == 204:  # accepted silently [M]
            return
        if not order.is_open:
            raise errors.unprocessable(f'order is already in "{order.status}" state')
        if order.is_replaced_soon or self._is_replacing(order):
            raise errors.unprocessable("cannot cancel order in pending_replace status")
        if order.status == "pending_cancel":
            return
        asked = self._with_due(order, "cancel", outcome, settings.cancel_after_ms, now_ns)
        if outcome.end == "done" and asked.due_ns == now_ns:
            self._matching.end(order, "canceled", now_ns)
        else:
            self._ledger.change(order, asked._replace(status="pending_cancel"), "pending_cancel")

    def replace(
        self, order: Order, members: Mapping[str, Json] | None, outcome: Outcome, now_ns: int, call_no: int
    ) -> Order:
        """Ask for another order in the place of this one; returns that. Raises the ApiError of a refusal."""
        if members is None:
            raise errors.malformed()
        _check_state(order)
        request = _changed_request(order, members)
        case = self._judge(order, request, is_new_id=bool(read_text(members, "client_order_id")))
        settings = self._ledger.settings
        replacement = _taking_over(order, order, carried=settings.replace_filled == "carried")._replace(
            id=new_uuid(),
            client_order_id=case.request.client_order_id,
            origin="replace",
            created_ns=now_ns,
            updated_ns=now_ns,
            submitted_ns=now_ns,
            expires_ns=expires_ns(request.time_in_force, now_ns),
            visible_ns=now_ns,
            status="pending_new",
            time_in_force=request.time_in_force,
            qty=request.qty,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            trail_price=request.trail_price,
            trail_percent=request.trail_percent,
            triggered=order.triggered and request.stop_price == order.stop_price,
            # While both exist the larger of the two is held back [D].
            reserved=max(Decimal(0), case.reserve - order.reserved),
            due_ns=None,
            due=None,
            call_no=call_no,
            replaces=order.id,
        )
        asked = self._with_due(order, "replace", outcome, settings.replace_after_ms, now_ns)
        self._ledger.change(order, asked._replace(status="pending_replace"), "pending_replace")
        self._ledger.add(replacement)
        return replacement

    def _judge(self, order: Order, request: OrderRequest, *, is_new_id: bool) -> Case:
        store = self._ledger.store
        case = Case(
            store=store,
            settings=self._ledger.settings,
            account=store.account(order.account),
            request=request,
            asset=store.asset(order.symbol),
            quote=store.quote(order.symbol),
            position=store.position(order.account, order.symbol),
            instead_of=order,
        )
        judge_replacement(case, is_new_id=is_new_id)
        if not is_new_id and self._ledger.settings.replace_client_order_id == "new":
            case = replace(case, request=replace(request, client_order_id=new_uuid()))
        return case

    def _with_due(
        self, order: Order, verb: str, outcome: Outcome, after_ms: int | None, now_ns: int
    ) -> Order:
        """The order with what is to come of a request. Stuck: it is never due."""
        stuck = outcome.end == "stuck" or after_ms is None
        return order._replace(
            updated_ns=now_ns,
            resumes=order.status,
            due=_VERBS[outcome.end] + verb,
            due_ns=None if stuck else now_ns + (after_ms or 0) * MS,
            due_qty=outcome.qty,
            due_price=outcome.price,
        )

    def _is_replacing(self, order: Order) -> bool:
        """Whether it is a replacement whose turn has not come."""
        if order.replaces is None or order.status != "pending_new":
            return False
        return self._orders.there(order.replaces).is_replaced_soon

    # What falls due

    def happen(self, order: Order, at_ns: int) -> None:
        """Let come of a request what was in store."""
        if order.due in ("fill_and_cancel", "fill_and_replace"):
            price = self._fill_price(order)
            leaves = order.leaves_qty(price)
            order = self._matching.fill(order, min(order.due_qty or leaves, leaves), price, at_ns)
        if order.due is not None and order.due.endswith("cancel"):
            self._cancel_now(order, at_ns)
        elif order.is_open:
            self._replace_now(order, at_ns)

    def _cancel_now(self, order: Order, at_ns: int) -> None:
        if not order.is_open:
            self._ledger.change(order, nothing_due(order))
            self._ledger.say("order_cancel_rejected", order, at_ns)
        elif order.due == "refuse_cancel":
            resumed = self._ledger.put_into(order, _resumed(order), at_ns, "order_cancel_rejected")
            if resumed.status == "pending_new":
                self._matching.accept(resumed, at_ns)
        else:
            self._matching.end(order, "canceled", at_ns)

    def _replace_now(self, order: Order, at_ns: int) -> None:
        replacement = self._orders.replacement_of(order.id)
        assert replacement is not None
        carried = self._ledger.settings.replace_filled == "carried"
        outgrown = carried and (replacement.qty or 0) <= order.filled_qty  # by a fill in between
        if order.due == "refuse_replace" or outgrown:
            self._ledger.put_into(replacement, "rejected", at_ns)
            self._ledger.put_into(order, _resumed(order), at_ns, "order_replace_rejected")
            return
        self._ledger.put_into(order, "replaced", at_ns, changed=order._replace(replaced_by=replacement.id))
        for leg in self._orders.legs(order.id):
            self._ledger.change(leg, leg._replace(parent_id=replacement.id))
        needed = reserve_for(replacement, self._ledger.store.quote(order.symbol))
        self._ledger.release(replacement, replacement.reserved - needed)
        held = self._ledger.change(
            replacement, _taking_over(replacement, order, carried)._replace(reserved=needed)
        )
        if order.resumes == "held":
            self._ledger.put_into(held, "held", at_ns)
        else:
            self._matching.accept(held, at_ns)

    def _fill_price(self, order: Order) -> Decimal:
        quote = self._ledger.store.quote(order.symbol)
        given = order.due_price or order.limit_price or (quote.price if quote else order.stop_price)
        return given or Decimal(1)


def _taking_over(replacement: Order, order: Order, carried: bool) -> Order:
    """The replacement with the fills of what it replaces, or with none."""
    return replacement._replace(
        filled_qty=order.filled_qty if carried else Decimal(0),
        filled_avg_price=order.filled_avg_price if carried else None,
        filled_ns=order.filled_ns if carried else None,
    )


def _resumed(order: Order) -> str:
    """The status to go back to."""
    if order.resumes in WORKING:
        return "partially_filled" if order.filled_qty else "new"
    return order.resumes or "new"


def _check_state(order: Order) -> None:
    """Which orders may be replaced at all [D WWO; I]."""
    if order.status in ("accepted", "pending_new"):
        raise errors.invalid("unable to replace order, order isn't sent to exchange yet")
    if order.status in ("pending_cancel", "pending_replace"):
        raise errors.unprocessable(f"cannot replace order in {order.status} status")
    if order.status == "replaced":
        raise errors.unprocessable("order already replaced")
    if not order.is_open:
        raise errors.invalid("unable to replace order, order is not open")
    if order.status not in (*WORKING, "held"):
        raise errors.unprocessable("unable to replace order in current state")
    if order.notional is not None:
        raise errors.unprocessable("notional orders cannot be replaced")
    if order.order_class == "oto":  # the documents contradict each other
        raise errors.unprocessable("oto orders cannot be replaced")


def _changed_request(order: Order, members: Mapping[str, Json]) -> OrderRequest:
    """What the order is to become, judged by the rules of a new one and some of its own."""
    before = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        notional=None,
        limit_price=order.limit_price,
        stop_price=None if order.type == "trailing_stop" else order.stop_price,
        extended_hours=order.extended_hours,
        client_order_id=order.client_order_id,
        position_intent=None,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
    )
    _check_members(order, members)
    trail = read_number(members, "trail")
    by_price = order.trail_price is not None
    request = replace(
        before,
        qty=_or(read_number(members, "qty"), before.qty),
        time_in_force=read_text(members, "time_in_force") or before.time_in_force,
        limit_price=_or(read_number(members, "limit_price"), before.limit_price),
        stop_price=_or(read_number(members, "stop_price"), before.stop_price),
        trail_price=_or(trail if by_price else None, before.trail_price),
        trail_percent=_or(None if by_price else trail, before.trail_percent),
    )
    check_rules(request)
    if request.qty is not None and request.qty <= order.filled_qty:
        raise errors.unprocessable("qty must be > filled_qty")
    new_id = read_text(members, "client_order_id") or order.client_order_id
    if request == before and new_id == order.client_order_id:
        raise errors.unprocessable("order parameters are not changed")
    return replace(request, client_order_id=new_id)


def _check_members(order: Order, members: Mapping[str, Json]) -> None:
    """Only what the order has can change, of a group only its prices."""
    named = {name for name, value in members.items() if value is not None}
    if "trail" in named and order.type != "trailing_stop":
        raise errors.invalid(f"{order.type} orders must not have trail")
    for name in ("limit_price", "stop_price"):
        if name in named and name not in PRICES[order.type]:
            raise errors.invalid(f"{order.type} orders must not have {name}")
    if order.order_class and not named <= _LEGS_MAY_CHANGE:
        raise errors.unprocessable(f"only prices of {order.order_class} orders can be replaced")
    if "notional" in named:
        raise errors.unprocessable("notional orders cannot be replaced")
    qty = read_number(members, "qty")
    was_fractional = order.qty is not None and order.qty != order.qty.to_integral_value()
    if qty is not None and qty != order.qty and (was_fractional or qty != qty.to_integral_value()):
        raise errors.unprocessable("qty of fractional orders cannot be replaced")


def _or(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    return old if new is None else new
