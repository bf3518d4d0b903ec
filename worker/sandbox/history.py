"""A used account: tens of thousands of old orders and their fills, made from a seed and loaded set by set."""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from worker.sandbox.book import Book
from worker.sandbox.ledger import activity_id
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import Activity, Order, Position
from worker.sandbox.records import ACTIVITY_COLUMNS, ORDER_COLUMNS, Row, row_of
from worker.sandbox.values import GTC_LIFE_NS, Json, decimal_text, parse_time, uuid_text

MAX_ORDERS: Final = 1_000_000
_AT_A_TIME: Final = 1_000
_MS_NS: Final = 1_000_000
_DAY_NS: Final = 86_400 * 1_000 * _MS_NS
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is to be loaded."""

    orders: int
    fills_per_order: int
    symbols: tuple[str, ...]
    from_ns: int
    to_ns: int
    open: int  # of the latest orders so many still rest
    at_once: int  # so many orders share a submitted_at
    seed: int


def load_history(book: Book, account: str, members: Members) -> Json:
    """Load orders and fills of the past, and move the holdings along. Raises BadRequestError."""
    history = _read(members, book.clock.now_ns())
    maker = _Maker(history, account)
    ids: list[Json] = []
    fills = 0
    large = history.orders > _AT_A_TIME
    with book.store.bulk_load() if large else book.store.transaction():
        for start in range(0, history.orders, _AT_A_TIME):
            stop = min(start + _AT_A_TIME, history.orders)
            orders = [maker.order(number) for number in range(start, stop)]
            book.store.orders.insert_rows(orders)
            book.store.activities.insert_rows(maker.fills)
            ids += [orders[0]["id"], orders[-1]["id"]]
            fills += len(maker.fills)
            maker.fills.clear()
        for symbol, position in sorted(maker.positions.items()):
            before = book.store.position(account, symbol)
            total = Position(qty=before.qty + position.qty, cost=before.cost + position.cost)
            book.put_position(account, symbol, total)
    return {
        "orders": history.orders,
        "fills": fills,
        "open": history.open,
        "first_id": ids[0],
        "last_id": ids[-1],
    }


def _read(members: Members, now_ns: int) -> History:
    symbols = members.json("symbols") or ["GOOG"]
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise BadRequestError("history.symbols must be a list of symbols")
    history = History(
        orders=members.integer("orders", least=1),
        fills_per_order=members.integer("fills_per_order", 1),
        symbols=tuple(str(symbol) for symbol in symbols),
        from_ns=_moment(members, "from", now_ns - 365 * _DAY_NS),
        to_ns=_moment(members, "to", now_ns - _DAY_NS),
        open=members.integer("open", 0),
        at_once=members.integer("at_once", 1, least=1),
        seed=members.integer("seed", 1),
    )
    members.finish()
    if history.orders > MAX_ORDERS or history.open > history.orders or history.from_ns >= history.to_ns:
        raise BadRequestError(f"history takes at most {MAX_ORDERS} orders, no more open, and time between")
    return history


def _moment(members: Members, name: str, default: int) -> int:
    text = members.text_or_none(name)
    try:
        return default if text is None else parse_time(text)
    except ValueError:
        raise BadRequestError(f"history.{name} is no time") from None


class _Maker:
    """Makes one row after the other: an order like the first in all but a few columns, and its fills."""

    def __init__(self, history: History, account: str) -> None:
        self.fills: list[Row] = []
        self.positions: dict[str, Position] = {}
        self._history = history
        self._random = random.Random(history.seed)
        self._order = row_of(_an_order(account), ORDER_COLUMNS)
        self._fill = row_of(_a_fill(account), ACTIVITY_COLUMNS)

    def order(self, number: int) -> Row:
        """The order of that number: most are filled, every tenth was canceled, the last ones rest."""
        history, chance = self._history, self._random
        at_once = number // history.at_once * history.at_once
        at_ns = history.from_ns + (history.to_ns - history.from_ns) * at_once // history.orders
        fills = history.fills_per_order
        symbol = history.symbols[number % len(history.symbols)]
        is_purchase = chance.random() < 0.5
        qty = chance.randrange(1, 20) * max(1, fills)
        order: Row = {
            **self._order,
            "id": self._uuid(),
            "client_order_id": self._uuid(),
            "created_ns": at_ns,
            "updated_ns": at_ns,
            "submitted_ns": at_ns,
            "visible_ns": at_ns,
            "expires_ns": at_ns + GTC_LIFE_NS,
            "symbol": symbol,
            "asset_class": "crypto" if "/" in symbol else "us_equity",
            "side": "buy" if is_purchase else "sell",
            "position_intent": "buy_to_open" if is_purchase else "sell_to_close",
            "qty": str(qty),
            "limit_price": decimal_text(Decimal(chance.randrange(1_000, 50_000)) / 100),
        }
        if number >= history.orders - history.open:
            return order
        if not fills or number % 10 == 9:
            return {**order, "status": "canceled", "canceled_ns": at_ns}
        filled_ns = self._fill_in_parts(order, qty, fills, at_ns)
        self._move(symbol, qty if is_purchase else -qty, Decimal(str(order["limit_price"])))
        return {
            **order,
            "status": "filled",
            "filled_qty": order["qty"],
            "filled_avg_price": order["limit_price"],
            "filled_ns": filled_ns,
            "updated_ns": filled_ns,
        }

    def _fill_in_parts(self, order: Row, qty: int, parts: int, at_ns: int) -> int:
        part = qty // parts
        for cum in range(part, qty + 1, part):
            at_ns += self._random.randrange(1, 20 * _MS_NS)
            execution_id = self._uuid()
            self.fills.append(
                {
                    **self._fill,
                    "id": activity_id(at_ns, execution_id),
                    "execution_id": execution_id,
                    "order_id": order["id"],
                    "type": "fill" if cum == qty else "partial_fill",
                    "at_ns": at_ns,
                    "visible_ns": at_ns,
                    "symbol": order["symbol"],
                    "side": order["side"],
                    "qty": str(part),
                    "price": order["limit_price"],
                    "cum_qty": str(cum),
                    "leaves_qty": str(qty - cum),
                    "order_status": "filled" if cum == qty else "partially_filled",
                }
            )
        return at_ns

    def _move(self, symbol: str, qty: int, price: Decimal) -> None:
        held = self.positions.get(symbol, Position())
        self.positions[symbol] = held.after(Decimal(qty), price)

    def _uuid(self) -> str:
        return uuid_text(self._random.getrandbits(122))


def _an_order(account: str) -> Order:
    """What all orders of a past have in common."""
    return Order(
        id="",
        account=account,
        client_order_id="",
        origin="history",
        created_ns=0,
        updated_ns=0,
        submitted_ns=0,
        expires_ns=0,
        visible_ns=0,
        symbol="",
        asset_class="",
        side="",
        type="limit",
        time_in_force="gtc",
        position_intent="",
        status="new",
        qty=None,
        notional=None,
        limit_price=None,
        stop_price=None,
        extended_hours=False,
        reserved=_ZERO,
        call_no=None,
    )


def _a_fill(account: str) -> Activity:
    return Activity(
        id="",
        execution_id="",
        previous_execution_id=None,
        account=account,
        order_id="",
        type="fill",
        at_ns=0,
        visible_ns=0,
        symbol="",
        side="",
        qty=_ZERO,
        price=_ZERO,
        cum_qty=_ZERO,
        leaves_qty=_ZERO,
        order_status="",
        live=True,
    )
