"""What each endpoint of the trading API answers when nothing goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qsl

from worker.sandbox import errors
from worker.sandbox.book import Book, Fate
from worker.sandbox.errors import ApiError
from worker.sandbox.model import Order
from worker.sandbox.queries import Query, find_order, flag, list_activities, list_orders
from worker.sandbox.reads import Reads
from worker.sandbox.sessions import calendar_json, clock_json
from worker.sandbox.shown import (
    account_json,
    activity_json,
    asset_id,
    asset_json,
    order_json,
    position_json,
    position_symbol,
)
from worker.sandbox.store import Store
from worker.sandbox.validation import SYMBOL
from worker.sandbox.values import Json, parse_json

ORDERS: Final = "/v2/orders"


def read_query(text: str) -> dict[str, str]:
    """The query's members; of several with one name the last."""
    return dict(parse_qsl(text, keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call of a known account."""

    account: str
    method: str
    path: str
    query: Query
    members: Mapping[str, Json] | None
    fate: Fate
    call_no: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A success."""

    body: Json
    status: int = 200


class Endpoints:
    """Answers calls from the book, for the account that the key opens."""

    def __init__(self, book: Book, reads: Reads) -> None:
        self._book = book
        self._reads = reads

    def perform(self, ask: Ask) -> Reply:
        """Return the success, or raise the ApiError."""
        head, _, rest = ask.path.removeprefix("/v2/").partition("/")
        if not ask.path.startswith("/v2/"):
            raise errors.not_found("endpoint not found")
        match ask.method:
            case "GET":
                return Reply(self._read(ask, head, rest))
            case "POST" if head == "orders" and not rest:
                return Reply(self._shown(self._book.submit(ask.account, ask.members, ask.fate, ask.call_no)))
            case "PATCH" if head == "orders" and rest:
                order = self._order(self._book.store, ask, rest)
                new = self._book.replace(order, ask.members, ask.fate.replace, ask.call_no)
                return Reply(self._shown(new))
            case "DELETE" if head == "orders" and rest:
                self._book.cancel(self._order(self._book.store, ask, rest), ask.fate.cancel)
                return Reply(None, 204)
            case "DELETE" if head == "orders":
                answers = self._book.cancel_all(ask.account, ask.fate.cancel)
                return Reply([_cancelled(order_id, refusal) for order_id, refusal in answers], 207)
        raise errors.not_found("endpoint not found")

    def _read(self, ask: Ask, head: str, rest: str) -> Json:
        """A GET; it may see a world that lags behind."""
        store, now_ns = self._reads.store, self._reads.now_ns
        match head, rest:
            case "orders", "":
                return list_orders(store, ask.account, ask.query, now_ns)
            case "orders", _:
                return self._shown(self._order(store, ask, rest), store, nested=flag(ask.query, "nested"))
            case "orders:by_client_order_id", "":
                return order_json(_by_client_order_id(store, ask, now_ns))
            case "account", "":
                return account_json(store.account(ask.account), now_ns)
            case "account", _ if rest == "activities" or rest.startswith("activities/"):
                types = rest.removeprefix("activities").removeprefix("/") or None
                found = list_activities(store, ask.account, types, ask.query, now_ns)
                return [activity_json(activity) for activity in found]
            case "positions", "":
                return [
                    _position(store, ask.account, symbol) for _, symbol, _ in store.positions(ask.account)
                ]
            case "positions", _:
                return _position_of(store, ask.account, rest)
            case "assets", "":
                return [asset_json(symbol, asset) for symbol, asset in store.assets().items() if asset.exists]
            case "assets", _:
                return _asset(store, rest)
            case "clock", "":
                return clock_json(self._book.clock.now_ns(), is_open=self._book.settings.market == "open")
            case "calendar", "":
                return calendar_json(ask.query, now_ns)
        raise errors.not_found("endpoint not found")

    def _order(self, store: Store, ask: Ask, text: str) -> Order:
        now_ns = self._reads.now_ns if store is self._reads.store else self._book.clock.now_ns()
        return find_order(store, ask.account, text, now_ns)

    def _shown(self, order: Order, store: Store | None = None, *, nested: bool = True) -> Json:
        orders = (store or self._book.store).orders
        return order_json(order, orders.legs(order.id) if nested and order.order_class else ())


def _cancelled(order_id: str, refusal: ApiError | None) -> Json:
    """The status only says that the request was queued [D]."""
    if refusal is None:
        return {"id": order_id, "status": 200}
    return {"id": order_id, "status": 500, "body": parse_json(refusal.body())}


def _by_client_order_id(store: Store, ask: Ask, now_ns: int) -> Order:
    client_order_id = ask.query.get("client_order_id", "")
    if not client_order_id:
        raise errors.invalid("client_order_id is missing")
    order = store.orders.with_client_order_id(ask.account, client_order_id, now_ns)
    if order is None:
        raise errors.order_not_found(client_order_id)
    return order


def _position(store: Store, account: str, symbol: str) -> Json:
    """A holding; what open orders of the closing side hold is not available."""
    position, quote = store.position(account, symbol), store.quote(symbol)
    side = "sell" if position.qty > 0 else "buy"
    price = quote.price if quote else Decimal(1)
    groups = {
        order.parent_id or order.id: order.leaves_qty(price)
        for order in store.orders.open_of(symbol, account, side)
        if not order.waits and order.status != "held"
    }
    available = max(Decimal(0), abs(position.qty) - sum(groups.values()))
    return position_json(symbol, position, available, quote)


def _position_of(store: Store, account: str, text: str) -> Json:
    for _, symbol, _ in store.positions(account):
        if text in (symbol, position_symbol(symbol), asset_id(symbol)):
            return _position(store, account, symbol)
    raise errors.not_found("position does not exist")


def _asset(store: Store, text: str) -> Json:
    """Any symbol that looks like one is an asset, until somebody says otherwise."""
    for symbol, asset in store.assets().items():
        if asset.exists and text in (symbol, position_symbol(symbol), asset_id(symbol)):
            return asset_json(symbol, asset)
    if SYMBOL.fullmatch(text) and store.asset(text).exists:
        return asset_json(text, store.asset(text))
    raise errors.not_found(f"asset not found for {text}")
