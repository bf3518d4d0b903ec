"""What each endpoint of the trading API answers when nothing goes wrong."""

import uuid
from collections.abc import Mapping
from urllib.parse import parse_qsl

from worker.sandbox import errors
from worker.sandbox.book import Book, Fate
from worker.sandbox.model import TERMINAL, Order, account_json, order_json
from worker.sandbox.values import Json, parse_time

ORDERS = "/v2/orders"
BY_CLIENT_ORDER_ID = "/v2/orders:by_client_order_id"
MAX_PAGE = 500
DEFAULT_PAGE = 50

Query = Mapping[str, str]


def read_query(text: str) -> dict[str, str]:
    """The query's members; of several with one name the last."""
    return dict(parse_qsl(text, keep_blank_values=True))


class Endpoints:
    """Answers calls from the book, for the account that the key opens."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._store = book.store

    def perform(
        self,
        account: str,
        method: str,
        path: str,
        query: Query,
        members: Mapping[str, Json] | None,
        fate: Fate,
        call_no: int,
    ) -> Json:
        """Return the body of the 200, or raise the ApiError."""
        match method, path:
            case "POST", "/v2/orders":
                return order_json(self._book.submit(account, members, fate, call_no))
            case "GET", "/v2/orders":
                return [order_json(order) for order in self._list(account, query)]
            case "GET", "/v2/orders:by_client_order_id":
                return order_json(self._by_client_order_id(account, query.get("client_order_id", "")))
            case "GET", "/v2/account":
                return account_json(self._store.account(account), self._book.clock.now_ns())
            case "GET", _ if path.startswith("/v2/orders/"):
                return order_json(self._by_id(account, path.removeprefix("/v2/orders/")))
        raise errors.not_found("endpoint not found")

    def _by_id(self, account: str, text: str) -> Order:
        """What is no uuid is no order id [I Alpaca-API#135]."""
        try:
            order_id = str(uuid.UUID(text))
        except ValueError:
            raise errors.invalid("order_id is missing") from None
        order = self._store.order(order_id)
        if order is None or order.account != account or order.visible_ns > self._book.clock.now_ns():
            raise errors.order_not_found(text)
        return order

    def _by_client_order_id(self, account: str, client_order_id: str) -> Order:
        if not client_order_id:
            raise errors.invalid("client_order_id is missing")
        order = self._store.newest_with_client_order_id(account, client_order_id, self._book.clock.now_ns())
        if order is None:
            raise errors.order_not_found(client_order_id)
        return order

    def _list(self, account: str, query: Query) -> list[Order]:
        """One page by submission time; a limit over 500 is clamped [X], bounds are exclusive [D]."""
        direction = query.get("direction") or "desc"
        if direction not in ("asc", "desc"):
            raise errors.invalid('direction can only be "asc" or "desc"')
        conditions = ["account = ?", "visible_ns <= ?"]
        arguments: list[str | int] = [account, self._book.clock.now_ns()]
        for condition, values in (
            _status(query),
            _times(query),
            self._neighbours(account, query, direction),
            _symbols(query),
            _equal(query, "side", ("buy", "sell")),
            _equal(query, "asset_class", ("us_equity", "us_option", "crypto")),
        ):
            conditions += condition
            arguments += values
        return self._store.orders_where(
            " and ".join(conditions), arguments, f"submitted_ns {direction}, id", _page_size(query)
        )

    def _neighbours(self, account: str, query: Query, direction: str) -> tuple[list[str], list[str | int]]:
        """Paging by order id: exclusive, one way at a time, not with times [D OAS26]."""
        names = [name for name in ("before_order_id", "after_order_id") if query.get(name)]
        if not names:
            return [], []
        if len(names) > 1 or query.get("after") or query.get("until"):
            raise errors.invalid(
                "before_order_id and after_order_id are mutually exclusive, and not with times"
            )
        order = self._by_id(account, query[names[0]])
        later, earlier = (">", "<") if names[0] == "after_order_id" else ("<", ">")
        # Equal times are listed by ascending id in both directions.
        tie = later if direction == "asc" else earlier
        return (
            [f"(submitted_ns {later} ? or (submitted_ns = ? and id {tie} ?))"],
            [order.submitted_ns, order.submitted_ns, order.id],
        )


_NOTHING: tuple[list[str], list[str | int]] = ([], [])


def _status(query: Query) -> tuple[list[str], list[str | int]]:
    status = query.get("status") or "open"
    names = ", ".join(f"'{name}'" for name in sorted(TERMINAL))
    match status:
        case "all":
            return _NOTHING
        case "open":
            return [f"status not in ({names})"], []
        case "closed":
            return [f"status in ({names})"], []
    raise errors.invalid('status can only be "open", "closed" or "all"')


def _times(query: Query) -> tuple[list[str], list[str | int]]:
    conditions: list[str] = []
    arguments: list[str | int] = []
    for name, sign in (("after", ">"), ("until", "<")):
        if text := query.get(name):
            try:
                arguments.append(parse_time(text))
            except ValueError:
                raise errors.invalid(f"invalid {name}: {text}") from None
            conditions.append(f"submitted_ns {sign} ?")
    return conditions, arguments


def _symbols(query: Query) -> tuple[list[str], list[str | int]]:
    symbols = [symbol for symbol in query.get("symbols", "").split(",") if symbol]
    if not symbols:
        return _NOTHING
    return [f"symbol in ({', '.join('?' for _ in symbols)})"], list(symbols)


def _equal(query: Query, name: str, known: tuple[str, ...]) -> tuple[list[str], list[str | int]]:
    value = query.get(name)
    if not value:
        return _NOTHING
    if value not in known:
        raise errors.invalid(f"invalid {name}")
    return [f"{name} = ?"], [value]


def _page_size(query: Query) -> int:
    text = query.get("limit") or str(DEFAULT_PAGE)
    if not text.isdecimal() or int(text[:9]) < 1:
        raise errors.invalid("limit must be a positive number")
    return min(int(text[:9]), MAX_PAGE)
