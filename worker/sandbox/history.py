"""A used account: tens of thousands of old orders and their fills, made from a seed and loaded set by set."""

import random
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Final

from worker.sandbox.book import GTC_LIFE_NS, Book
from worker.sandbox.ledger import activity_id
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import Activity, Order, Position
from worker.sandbox.values import Json, parse_time, session_close_ns

MAX_ORDERS: Final = 1_000_000
_MS: Final = 1_000_000


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
    orders = [maker.order(number) for number in range(history.orders)]
    with book.store.transaction():
        book.store.orders.insert_many(orders)
        book.store.activities.insert_many(maker.activities)
        for symbol, position in sorted(maker.positions.items()):
            before = book.store.position(account, symbol)
            total = Position(qty=before.qty + position.qty, cost=before.cost + position.cost)
            book.put_position(account, symbol, total)
    return {
        "orders": len(orders),
        "fills": len(maker.activities),
        "open": history.open,
        "first_id": orders[0].id,
        "last_id": orders[-1].id,
    }


def _read(members: Members, now_ns: int) -> History:
    symbols = members.json("symbols") or ["GOOG"]
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise BadRequestError("history.symbols must be a list of symbols")
    day_ns = 86_400 * 1_000 * _MS
    history = History(
        orders=members.integer("orders", least=1),
        fills_per_order=members.integer("fills_per_order", 1),
        symbols=tuple(str(symbol) for symbol in symbols),
        from_ns=_moment(members, "from", now_ns - 365 * day_ns),
        to_ns=_moment(members, "to", now_ns - day_ns),
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
    """Makes one order after the other, with their fills."""

    def __init__(self, history: History, account: str) -> None:
        self.activities: list[Activity] = []
        self.positions: dict[str, Position] = {}
        self._history = history
        self._account = account
        self._random = random.Random(history.seed)

    def order(self, number: int) -> Order:
        """The order of that number: most are filled, every tenth was canceled, the last ones rest."""
        history, chance = self._history, self._random
        group = number // history.at_once * history.at_once
        at_ns = history.from_ns + (history.to_ns - history.from_ns) * group // history.orders
        fills = history.fills_per_order
        symbol = history.symbols[number % len(history.symbols)]
        side = "buy" if chance.random() < 0.5 else "sell"
        price = Decimal(chance.randrange(1_000, 50_000)) / 100
        is_open = number >= history.orders - history.open
        order = Order(
            id=self._uuid(),
            account=self._account,
            client_order_id=self._uuid(),
            origin="history",
            created_ns=at_ns,
            updated_ns=at_ns,
            submitted_ns=at_ns,
            expires_ns=at_ns + GTC_LIFE_NS if is_open else session_close_ns(at_ns),
            visible_ns=at_ns,
            symbol=symbol,
            asset_class="crypto" if "/" in symbol else "us_equity",
            side=side,
            type="limit",
            time_in_force="gtc",
            position_intent="buy_to_open" if side == "buy" else "sell_to_close",
            status="new",
            qty=Decimal(chance.randrange(1, 20) * max(1, fills)),
            notional=None,
            limit_price=price,
            stop_price=None,
            extended_hours=False,
            reserved=Decimal(0),
            call_no=None,
        )
        if is_open:
            return order
        if not fills or number % 10 == 9:
            return replace(order, status="canceled", canceled_ns=at_ns, updated_ns=at_ns)
        return self._filled(order, price, fills)

    def _filled(self, order: Order, price: Decimal, fills: int) -> Order:
        qty = order.qty or Decimal(0)
        at_ns = order.created_ns
        for before, cum in pairwise(qty * part / fills for part in range(fills + 1)):
            at_ns += self._random.randrange(1, 20 * _MS)
            execution_id = self._uuid()
            self.activities.append(
                Activity(
                    id=activity_id(at_ns, execution_id),
                    execution_id=execution_id,
                    previous_execution_id=None,
                    account=order.account,
                    order_id=order.id,
                    type="fill" if cum == qty else "partial_fill",
                    at_ns=at_ns,
                    visible_ns=at_ns,
                    symbol=order.symbol,
                    side=order.side,
                    qty=cum - before,
                    price=price,
                    cum_qty=cum,
                    leaves_qty=qty - cum,
                    order_status="filled" if cum == qty else "partially_filled",
                    live=True,
                )
            )
        held = self.positions.get(order.symbol, Position())
        self.positions[order.symbol] = held.after(qty if order.side == "buy" else -qty, price)
        return replace(
            order,
            status="filled",
            filled_qty=qty,
            filled_avg_price=price,
            filled_ns=at_ns,
            updated_ns=at_ns,
        )

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
