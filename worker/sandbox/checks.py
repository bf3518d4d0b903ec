"""The checks that need the account: its state, its money, its holdings, its other orders, and its past.

Account state and parameters come first; then those of `settings.checks` in that order. An order that landed
can make its own repeat fail with a 403 when buying power is looked at before uniqueness [X], which is why the
order is a setting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from worker.sandbox import errors
from worker.sandbox.model import Account, Asset, Order, OrderRequest, Position, Quote
from worker.sandbox.settings import Settings
from worker.sandbox.store import Store
from worker.sandbox.validation import check_asset
from worker.sandbox.values import decimal_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One order before its judges."""

    store: Store
    settings: Settings
    account: Account
    request: OrderRequest
    asset: Asset
    quote: Quote | None
    position: Position
    instead_of: Order | None = None  # the order that this one is to replace

    @property
    def intent(self) -> str:
        """Whether the order opens or closes, judged by what the account holds."""
        if self.request.side == "buy":
            return "buy_to_close" if self.position.qty < 0 else "buy_to_open"
        return "sell_to_close" if self.position.qty > 0 else "sell_to_open"

    @property
    def cost_basis(self) -> Decimal:
        """What the order may cost."""
        return _cost(self.request, self.quote)

    @property
    def reserve(self) -> Decimal:
        """What the order holds back of the buying power: nothing when it closes a position."""
        return self.cost_basis if self.intent in ("buy_to_open", "sell_to_open") else Decimal(0)


def reserve_for(order: Order, quote: Quote | None) -> Decimal:
    """What an order of the book holds back."""
    return _cost(order, quote) if order.position_intent in ("buy_to_open", "sell_to_open") else Decimal(0)


def _cost(order: OrderRequest | Order, quote: Quote | None) -> Decimal:
    """Market orders are held at a collar [D]; without a price, at nothing."""
    if order.notional is not None:
        return order.notional
    price = order.limit_price or order.stop_price
    if price is None and quote is not None:
        price = collared(quote.price) if order.side == "buy" else quote.price
    return (order.qty or Decimal(0)) * (price or Decimal(0))


def collared(price: Decimal) -> Decimal:
    """Four percent above under $50, else 2.5 percent [D], on the price's own grid."""
    grid = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    return (price * (Decimal("1.04") if price < 50 else Decimal("1.025"))).quantize(grid)


def judge(case: Case) -> None:
    """Raise the ApiError of the first check that fails."""
    _check_state(case)
    check_asset(case.request, case.asset)
    _check_against_market(case)
    _check_intent(case)
    for name in case.settings.checks:
        _CHECKS[name](case)


def judge_replacement(case: Case, *, is_new_id: bool) -> None:
    """Raise the ApiError of the first check that keeps an order from being replaced."""
    _check_against_market(case)
    for name in case.settings.checks:
        if name != "uniqueness" or is_new_id:
            _CHECKS[name](case)


def _check_state(case: Case) -> None:
    if case.account.suspend_trade:
        raise errors.denied("new orders are rejected by user request")
    if case.account.trading_blocked:
        raise errors.denied("account is not authorized to trade")


def _check_against_market(case: Case) -> None:
    request, quote = case.request, case.quote
    stop_price = request.stop_price if (request.type, request.side) == ("stop", "sell") else None
    if quote is not None and stop_price is not None and stop_price >= quote.price:
        raise errors.unprocessable(
            "stop price must be less than current price",
            market_price=decimal_text(quote.price),
            stop_price=decimal_text(stop_price),
        )
    minimum = 10 if request.is_crypto else 1
    price = request.limit_price or request.stop_price or (quote.price if quote else None)
    if request.qty is not None and price is not None and request.qty * price < minimum:
        raise errors.denied(f"cost basis must be >= minimal amount of order {minimum}")


def _check_intent(case: Case) -> None:
    if case.request.order_class == "oco" and case.intent.endswith("to_open"):
        raise errors.unprocessable("oco orders must be exit orders")
    specified = case.request.position_intent
    if specified is not None and specified != case.intent:
        raise errors.unprocessable(
            f"position intent mismatch, inferred: {case.intent}, specified: {specified}"
        )


def _check_buying_power(case: Case) -> None:
    freed = case.instead_of.reserved if case.instead_of else 0
    if case.reserve - freed > case.account.buying_power:
        raise errors.denied(
            "insufficient buying power",
            buying_power=decimal_text(case.account.buying_power),
            cost_basis=decimal_text(case.cost_basis),
        )


def _check_quantity(case: Case) -> None:
    if case.intent == "sell_to_open":
        _check_short_sale(case)
    elif case.intent in ("sell_to_close", "buy_to_close"):
        _check_available(case)


def _check_available(case: Case) -> None:
    """No order may close more than the position less what other closing orders hold."""
    request = case.request
    rivals = _rivals(case, request.side)
    price = case.quote.price if case.quote else Decimal(1)
    existing = abs(case.position.qty)
    held = sum((rival.leaves_qty(price) for rival in rivals), Decimal(0))
    requested = request.qty if request.qty is not None else (request.notional or Decimal(0)) / price
    available = max(Decimal(0), existing - held)
    if requested > available:
        message = "insufficient qty available for order"
        if request.is_crypto:
            message = f"insufficient balance for {request.symbol.split('/')[0]}"
        raise errors.denied(
            f"{message} (requested: {decimal_text(requested)}, available: {decimal_text(available)})",
            available=decimal_text(available),
            existing_qty=decimal_text(existing),
            held_for_orders=decimal_text(held),
            symbol=request.symbol,
            related_orders=[rival.id for rival in rivals],
        )


def _check_short_sale(case: Case) -> None:
    request = case.request
    if request.is_crypto:
        requested = decimal_text(request.qty or request.notional or Decimal(0))
        coin = request.symbol.split("/")[0]
        raise errors.denied(f"insufficient balance for {coin} (requested: {requested}, available: 0)")
    if not case.account.shorting_enabled:
        raise errors.denied("account is not allowed to short")
    if not case.asset.shortable:
        raise errors.unprocessable(f'asset "{request.symbol}" cannot be sold short')
    if request.is_fractional:
        raise errors.unprocessable("fractional orders cannot be sold short")
    # An open buy that crosses is the wash trade check's business, and its answer says more.
    if any(not _would_cross(case, rival) for rival in _opposite(case)):
        raise errors.denied("cannot open a short sell while a long buy order is open")


def _opposite(case: Case) -> list[Order]:
    return _rivals(case, "sell" if case.request.side == "buy" else "buy")


def _rivals(case: Case, side: str) -> list[Order]:
    """The account's open orders on one side: of two exits of a group one, and none that waits."""
    taken = {case.instead_of.id} if case.instead_of else set()
    if case.instead_of and case.instead_of.order_class:
        taken.add(_group(case.instead_of))
    rivals = []
    for order in case.store.orders.open_of(case.request.symbol, case.account.name, side):
        if order.id in taken or order.status == "held" or order.waits:
            continue
        if order.order_class:
            if _group(order) in taken:
                continue
            taken.add(_group(order))
        rivals.append(order)
    return rivals


def _group(order: Order) -> str:
    return f"group of {order.parent_id or order.id}"


def _would_cross(case: Case, rival: Order) -> bool:
    """Whether the two could trade with each other: at once for market and stop orders, else by price."""
    mine, its = case.request.limit_price, rival.limit_price
    if mine is None or its is None:
        return True
    return mine >= its if case.request.side == "buy" else mine <= its


def _check_wash_trade(case: Case) -> None:
    for rival in _opposite(case):
        if not _would_cross(case, rival):
            continue
        if rival.limit_price is None:
            raise errors.denied(
                "potential wash trade detected. use complex orders",
                existing_order_id=rival.id,
                reject_reason="opposite side market/stop order exists",
            )
        raise errors.denied(
            "potential wash trade detected. use complex orders",
            existing_order_id=rival.id,
            reject_reason="opposite side limit order exists",
            **{f"{rival.side}_limit_price": decimal_text(rival.limit_price)},
        )


def _check_uniqueness(case: Case) -> None:
    """Unique for each account; for ever unless the settings say otherwise [M REC, alpaca-py#260]."""
    only_open = case.settings.uniqueness == "active"
    if case.store.orders.is_taken(case.account.name, case.request.client_order_id, only_open=only_open):
        raise errors.duplicate(case.settings.duplicate_status, case.settings.duplicate_code)


_CHECKS: Final[dict[str, Callable[[Case], None]]] = {
    "buying_power": _check_buying_power,
    "quantity": _check_quantity,
    "wash_trade": _check_wash_trade,
    "uniqueness": _check_uniqueness,
}
