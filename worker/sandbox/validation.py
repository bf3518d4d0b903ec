"""The rules of POST /v2/orders that need no account: shapes, domains, and what goes together.

The order in which Alpaca applies them is not known; here it goes from the single member to the whole [X].
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from worker.sandbox import errors
from worker.sandbox.model import SIMPLE, Asset, OrderRequest
from worker.sandbox.values import Json, decimal_of, decimal_places, decimal_text, new_uuid, parse_json

CLASSES: Final = ("bracket", "oco", "oto")
MAX_CLIENT_ORDER_ID: Final = 128  # [D OAS26, LEARN]; 48 in older documents

TYPES: Final = ("market", "limit", "stop", "stop_limit", "trailing_stop")
PRICES: Final[dict[str, tuple[str, ...]]] = {
    "market": (),
    "limit": ("limit_price",),
    "stop": ("stop_price",),
    "stop_limit": ("limit_price", "stop_price"),
    "trailing_stop": (),
}
TIMES_IN_FORCE: Final = ("day", "gtc", "opg", "cls", "ioc", "fok")
SYMBOL: Final = re.compile(
    r"[A-Z]{1,6}(\.[A-Z]{1,2})?|[A-Z0-9]{2,8}/[A-Z]{3,4}"
)  # shares and pairs; no options
INTENTS: Final = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")


def read_members(body: bytes | str) -> dict[str, Json] | None:
    """The members of the JSON object in a body, or None when there is no such thing."""
    try:
        members = parse_json(body)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def read_order(members: Mapping[str, Json] | None) -> OrderRequest:
    """Judge the members of an order by themselves and together, or raise what Alpaca would answer."""
    if members is None:
        raise errors.malformed()
    _refuse_what_is_not_offered(members)
    take_profit, stop_loss = _exit(members, "take_profit"), _exit(members, "stop_loss")
    order_class = read_text(members, "order_class") or "simple"
    limit_price = read_number(members, "limit_price")
    if order_class == "oco" and limit_price is None:
        limit_price = read_number(take_profit, "limit_price")  # the take profit is the order itself
    request = OrderRequest(
        symbol=read_text(members, "symbol") or "",
        side=read_text(members, "side") or "",
        type=read_text(members, "type") or "",
        time_in_force=read_text(members, "time_in_force") or "",
        qty=read_number(members, "qty"),
        notional=read_number(members, "notional"),
        limit_price=limit_price,
        stop_price=read_number(members, "stop_price"),
        extended_hours=_flag(members, "extended_hours"),
        client_order_id=read_text(members, "client_order_id") or new_uuid(),  # "" counts as absent [D OAS26]
        position_intent=read_text(members, "position_intent") or None,
        trail_price=read_number(members, "trail_price"),
        trail_percent=read_number(members, "trail_percent"),
        order_class=SIMPLE if order_class == "simple" else order_class,
        take_profit=read_number(take_profit, "limit_price"),
        stop_loss=read_number(stop_loss, "stop_price"),
        stop_loss_limit=read_number(stop_loss, "limit_price"),
    )
    check_rules(request)
    return request


def check_rules(request: OrderRequest) -> None:
    """Raise the ApiError of the first rule that an order breaks."""
    _check_domains(request)
    _check_amount(request)
    _check_prices(request)
    _check_combinations(request)
    _check_group(request)


def check_asset(request: OrderRequest, asset: Asset) -> None:
    """Judge an order by what its symbol allows."""
    name = request.symbol if request.is_crypto else f'"{request.symbol}"'
    if not asset.exists or not SYMBOL.fullmatch(request.symbol):
        raise errors.unprocessable(f"asset {name} not found")
    if not asset.active:
        raise errors.invalid(f"asset {name} is not active")
    if not asset.tradable:
        raise errors.unprocessable(f"asset {name} is not tradable")
    if request.is_fractional and not asset.fractionable:
        raise errors.denied(f"asset {name} is not fractionable")


def read_text(members: Mapping[str, Json], name: str) -> str | None:
    """A member that must be text if it is there. Raises the 400."""
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable():  # a lone surrogate is not printable either
        raise errors.malformed()
    return value


def read_number(members: Mapping[str, Json], name: str) -> Decimal | None:
    """A member that must be a decimal if it is there. Raises the 400."""
    value = members.get(name)
    if value is None:
        return None
    try:
        return decimal_of(value)
    except ValueError:
        raise errors.malformed() from None


def _flag(members: Mapping[str, Json], name: str) -> bool:
    value = members.get(name)
    if value is not None and not isinstance(value, bool):
        raise errors.malformed()
    return bool(value)


def _exit(members: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = members.get(name)
    if value is not None and not isinstance(value, dict):
        raise errors.malformed()
    return value or {}


def _refuse_what_is_not_offered(members: Mapping[str, Json]) -> None:
    """Orders of several options exist at Alpaca; saying so beats guessing at them."""
    order_class = read_text(members, "order_class")
    if order_class == "mleg":
        raise errors.unprocessable(f"order class {order_class} is not offered by this sandbox")
    if order_class not in (None, SIMPLE, "simple", *CLASSES):
        raise errors.invalid("invalid order_class")
    for name in ("legs", "advanced_instructions"):
        if members.get(name) is not None:
            raise errors.unprocessable(f"{name} is not offered by this sandbox")


def _check_domains(request: OrderRequest) -> None:
    if not request.symbol:
        raise errors.invalid("symbol is required")
    if request.side not in ("buy", "sell"):
        raise errors.invalid("invalid side")
    if request.type not in TYPES:
        raise errors.invalid("invalid order type")
    if request.time_in_force not in TIMES_IN_FORCE:
        raise errors.invalid("invalid time_in_force")
    if request.position_intent is not None and request.position_intent not in INTENTS:
        raise errors.invalid("invalid position_intent")
    if len(request.client_order_id) > MAX_CLIENT_ORDER_ID:
        raise errors.invalid(f"client_order_id must be no more than {MAX_CLIENT_ORDER_ID} characters")


def _check_amount(request: OrderRequest) -> None:
    """Quantity or money, never both (422 as recorded [M REC], where SK says 400)."""
    if request.qty is not None and request.notional is not None:
        raise errors.invalid("only one of qty or notional is accepted")
    if request.qty is not None:
        if request.qty <= 0:
            raise errors.invalid("qty must be > 0")
        if decimal_places(request.qty) > 9:
            raise errors.unprocessable("qty must be limited to 9 decimal places")
    elif request.notional is not None:
        if request.notional < 1:
            raise errors.invalid("notional must be >= 1.00")
        if decimal_places(request.notional) > 2:  # SK; other documents allow nine
            raise errors.unprocessable("notional must be limited to 2 decimal places")
    else:
        raise errors.invalid("qty or notional is required")


def _check_prices(request: OrderRequest) -> None:
    has_limit, has_stop = request.limit_price is not None, request.stop_price is not None
    match request.type:
        case "market" if has_limit or has_stop:
            raise errors.invalid("market orders require no stop or limit price")
        case "limit" if not has_limit:
            raise errors.invalid("limit orders require a limit price")
        case "limit" if has_stop:
            raise errors.invalid("limit orders require only limit price")
        case "stop" if not has_stop:
            raise errors.invalid("stop orders require a stop price")
        case "stop" if has_limit:
            raise errors.invalid("stop orders require only stop price")
        case "stop_limit" if not (has_limit and has_stop):
            raise errors.invalid("stop limit orders require both stop and limit price")
        case "trailing_stop" if has_limit or has_stop:
            raise errors.invalid("trailing stop orders require no stop or limit price")
    _check_trail(request)
    for name, price in (("limit_price", request.limit_price), ("stop_price", request.stop_price)):
        _check_price(request, name, price)


def _check_trail(request: OrderRequest) -> None:
    """Exactly one distance for a trailing stop, none for others [D/M]."""
    if request.type == "trailing_stop":
        trail = [
            distance for distance in (request.trail_price, request.trail_percent) if distance is not None
        ]
        if len(trail) != 1:
            raise errors.invalid("trailing stop orders must specify one of trail_price or trail_percent")
        if trail[0] <= 0:
            raise errors.invalid("trail must be > 0")
        return
    for name, distance in (("trail_price", request.trail_price), ("trail_percent", request.trail_percent)):
        if distance is not None:
            raise errors.invalid(f"{request.type} orders must not have {name}")


def _check_price(request: OrderRequest, name: str, price: Decimal | None) -> None:
    if price is None:
        return
    if price <= 0:
        raise errors.invalid(f"{name} must be > 0")
    # Two places from one dollar up, four below [D/M]. A pair's increment is its own and not modelled.
    if not request.is_crypto and decimal_places(price) > (2 if price >= 1 else 4):
        raise errors.unprocessable(
            f"invalid {name} {decimal_text(price)}."
            " sub-penny increment does not fulfill minimum pricing criteria"
        )


def _check_combinations(request: OrderRequest) -> None:
    """The matrix of types and times in force [POA, OPT, OAS26]."""
    if request.is_crypto:
        if request.type in ("stop", "trailing_stop"):
            raise errors.invalid("invalid order type for crypto order")
        if request.time_in_force not in ("gtc", "ioc"):
            raise errors.invalid("invalid crypto time_in_force")
        return
    if request.extended_hours and (request.type != "limit" or request.time_in_force not in ("day", "gtc")):
        raise errors.unprocessable("extended hours order must be DAY or GTC limit orders")
    if request.is_fractional and request.time_in_force != "day":
        raise errors.unprocessable("fractional orders must be DAY orders")
    if request.is_fractional and request.type == "trailing_stop":
        raise errors.unprocessable("fractional orders must be market, limit, stop, or stop_limit orders")
    if request.type in ("stop", "stop_limit", "trailing_stop") and request.time_in_force not in (
        "day",
        "gtc",
    ):
        raise errors.unprocessable(f"{request.type} orders must be DAY or GTC orders")


def _check_group(request: OrderRequest) -> None:
    """What a bracket, an oco and an oto need [D WWO, POA]."""
    profit, loss = request.take_profit, request.stop_loss
    if not request.order_class:
        if profit is not None or loss is not None:
            raise errors.unprocessable("simple orders must not have take_profit or stop_loss")
        return
    if request.is_crypto:
        raise errors.unprocessable(f"crypto orders must not be {request.order_class} orders")
    if request.is_fractional:
        raise errors.unprocessable("fractional orders must be simple orders")
    if request.time_in_force not in ("day", "gtc"):
        raise errors.unprocessable(f"{request.order_class} orders must be DAY or GTC orders")
    if request.extended_hours:
        raise errors.unprocessable(f"{request.order_class} orders must not be extended hours orders")
    if request.order_class == "oco" and request.type != "limit":
        raise errors.invalid("oco orders must be limit orders")
    if request.order_class == "oto" and (profit is None) == (loss is None):
        raise errors.invalid("oto orders require exactly one of take_profit or stop_loss")
    if request.order_class != "oto" and profit is None:
        raise errors.invalid(f"{request.order_class} orders require take_profit.limit_price")
    if request.order_class != "oto" and loss is None:
        raise errors.invalid(f"{request.order_class} orders require stop_loss.stop_price")
    _check_exits(request)


def _check_exits(request: OrderRequest) -> None:
    """A gain lies on the other side of the entry than a loss, each a cent away at least [D]."""
    profit, loss = request.take_profit, request.stop_loss
    for name, price in (
        ("take_profit.limit_price", profit),
        ("stop_loss.stop_price", loss),
        ("stop_loss.limit_price", request.stop_loss_limit),
    ):
        _check_price(request, name, price)
    # An oco is an exit itself: its sale is what a bracket's purchase leads to.
    is_long = (request.side == "buy") != (request.order_class == "oco")
    if profit is not None and loss is not None and (profit <= loss if is_long else profit >= loss):
        sign = ">" if is_long else "<"
        raise errors.unprocessable(f"take_profit.limit_price must be {sign} stop_loss.stop_price")
    base = request.limit_price if request.order_class != "oco" else None
    if loss is not None and base is not None:
        if is_long and loss > base - Decimal("0.01"):
            raise errors.unprocessable("stop_loss.stop_price must be <= base_price - 0.01")
        if not is_long and loss < base + Decimal("0.01"):
            raise errors.unprocessable("stop_loss.stop_price must be >= base_price + 0.01")
