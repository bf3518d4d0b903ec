"""The queries of lists: orders by submission time, activities by id, and how their bounds are read."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from worker.sandbox import errors
from worker.sandbox.clock import NS
from worker.sandbox.ledger import activity_id
from worker.sandbox.model import TERMINAL, Activity, Order
from worker.sandbox.schema import IS_OPEN
from worker.sandbox.store import Store
from worker.sandbox.values import Json, new_york_midnight_ns, parse_time

MAX_PAGE: Final = 500
DEFAULT_PAGE: Final = 50
MAX_ACTIVITIES: Final = 100
ACTIVITY_TYPES: Final = frozenset(
    {
        "FILL", "TRANS", "MISC", "ACATC", "ACATS", "CFEE", "CSD", "CSW", "DIV", "DIVCGL", "DIVCGS", "DIVFEE",
        "DIVFT", "DIVNRA", "DIVROC", "DIVTXEX", "FEE", "INT", "INTNRA", "INTTW", "JNL", "JNLC", "JNLS", "MA",
        "NC", "OPASN", "OPCA", "OPCSH", "OPEXC", "OPEXP", "OPTRD", "PTC", "PTR", "REORG", "SPIN", "SPLIT",
    }
)  # fmt: skip

Query = Mapping[str, str]
Condition = tuple[list[str], list[str | int]]
_NOTHING: Final[Condition] = ([], [])
_HOUR_NS: Final = 3600 * NS


def list_orders(store: Store, account: str, query: Query, now_ns: int) -> list[Json]:
    """One page by submission time; a limit over 500 is clamped [X], bounds are exclusive [D].

    Rolled up, a group is one row and the filters look at its first order only: once a bracket's entry has
    filled, a nested list of open orders does not show its exits [I alpaca-trade-api-js#87].
    """
    direction = _direction(query)
    nested = flag(query, "nested")
    conditions = ["account = ?", "visible_ns <= ?"]
    arguments: list[str | int] = [account, now_ns]
    if nested:
        conditions.append("parent_id is null")
    for condition, values in (
        _status(query),
        _times(query, "submitted_ns"),
        _neighbours(store, account, query, direction, now_ns),
        _symbols(query),
        _equal(query, "side", ("buy", "sell")),
        _equal(query, "asset_class", ("us_equity", "us_option", "crypto")),
    ):
        conditions += condition
        arguments += values
    order_by = f"submitted_ns {direction}, id"
    return store.orders.page(conditions, arguments, order_by, _page_size(query), nested=nested)


def list_activities(
    store: Store, account: str, types: str | None, query: Query, now_ns: int
) -> list[Activity]:
    """One page in the order of the ids, which is that of time but for what happened in one millisecond.

    page_token is the id of the last item of the page before. With a date there is no largest page [D].
    """
    names = [name for name in (types or query.get("activity_types") or "").split(",") if name]
    for name in names:
        if name not in ACTIVITY_TYPES:
            raise errors.invalid(f"invalid activity type: {name}")
    direction = _direction(query)
    size = _activities_size(query)
    conditions = ["account = ?", "visible_ns <= ?"]
    arguments: list[str | int] = [account, now_ns]
    for condition, values in (_moments(query), _token(query, direction), _of_order(query)):
        conditions += condition
        arguments += values
    if names and "FILL" not in names:
        return []  # this account has no other activities
    return store.activities.page(conditions, arguments, direction, size)


def find_order(store: Store, account: str, text: str, now_ns: int) -> Order:
    """An order that the account's reader may see; what is no uuid is no order id [I Alpaca-API#135]."""
    try:
        order_id = str(uuid.UUID(text))
    except ValueError:
        raise errors.invalid("order_id is missing") from None
    order = store.orders.get(order_id)
    if order is None or order.account != account or order.visible_ns > now_ns:
        raise errors.order_not_found(text)
    return order


def flag(query: Query, name: str) -> bool:
    """A switch: alpaca-py writes True [S]."""
    return query.get(name, "").lower() in ("true", "1")


def _direction(query: Query) -> str:
    direction = query.get("direction") or "desc"
    if direction not in ("asc", "desc"):
        raise errors.invalid('direction can only be "asc" or "desc"')
    return direction


def _neighbours(store: Store, account: str, query: Query, direction: str, now_ns: int) -> Condition:
    """Paging by order id: exclusive, one way at a time, not with times [D OAS26]."""
    names = [name for name in ("before_order_id", "after_order_id") if query.get(name)]
    if not names:
        return _NOTHING
    if len(names) > 1 or query.get("after") or query.get("until"):
        raise errors.invalid("before_order_id and after_order_id are mutually exclusive, and not with times")
    order = find_order(store, account, query[names[0]], now_ns)
    later, earlier = (">", "<") if names[0] == "after_order_id" else ("<", ">")
    # Equal times are listed by ascending id in both directions.
    tie = later if direction == "asc" else earlier
    return (
        [f"submitted_ns {later}= ? and (submitted_ns {later} ? or id {tie} ?)"],
        [order.submitted_ns, order.submitted_ns, order.id],
    )


def _status(query: Query) -> Condition:
    match query.get("status") or "open":
        case "all":
            return _NOTHING
        case "open":
            return [IS_OPEN], []
        case "closed":
            return [f"status in ({', '.join('?' for _ in TERMINAL)})"], sorted(TERMINAL)
    raise errors.invalid('status can only be "open", "closed" or "all"')


def _times(query: Query, column: str) -> Condition:
    conditions: list[str] = []
    arguments: list[str | int] = []
    for name, sign in (("after", ">"), ("until", "<")):
        if text := query.get(name):
            arguments.append(_time(name, text))
            conditions.append(f"{column} {sign} ?")
    return conditions, arguments


def _time(name: str, text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise errors.invalid(f"invalid {name}: {text}") from None


def _moments(query: Query) -> Condition:
    """A day of New York, or times; ids begin with local time, which narrows the search to a few pages."""
    conditions, arguments = _times(query, "at_ns")
    if text := query.get("date"):
        if conditions:
            raise errors.invalid("date cannot be used with after or until")
        day = datetime.fromtimestamp(_time("date", text) // NS, UTC).date()
        bounds = [new_york_midnight_ns(day), new_york_midnight_ns(day + timedelta(days=1))]
        conditions, arguments = ["at_ns >= ?", "at_ns < ?"], [*bounds]
    for condition, at_ns in tuple(zip(conditions, arguments, strict=True)):
        # Twice a year an hour of local time is missing or comes again.
        slack_ns = -_HOUR_NS if ">" in condition else _HOUR_NS
        conditions.append("id >= ?" if ">" in condition else "id <= ?")
        arguments.append(activity_id(int(at_ns) + slack_ns, "~" if slack_ns > 0 else ""))
    return conditions, arguments


def _token(query: Query, direction: str) -> Condition:
    token = query.get("page_token")
    return ([f"id {'>' if direction == 'asc' else '<'} ?"], [token]) if token else _NOTHING


def _of_order(query: Query) -> Condition:
    order_id = query.get("order_id")
    return (["order_id = ?"], [order_id]) if order_id else _NOTHING


def _symbols(query: Query) -> Condition:
    symbols = [symbol for symbol in query.get("symbols", "").split(",") if symbol]
    if not symbols:
        return _NOTHING
    return [f"symbol in ({', '.join('?' for _ in symbols)})"], list(symbols)


def _equal(query: Query, name: str, known: tuple[str, ...]) -> Condition:
    value = query.get(name)
    if not value:
        return _NOTHING
    if value not in known:
        raise errors.invalid(f"invalid {name}")
    return [f"{name} = ?"], [value]


def _page_size(query: Query) -> int:
    return min(_count(query, "limit", DEFAULT_PAGE), MAX_PAGE)


def _activities_size(query: Query) -> int:
    if query.get("date"):
        return _count(query, "page_size", -1)
    size = _count(query, "page_size", MAX_ACTIVITIES)
    if size > MAX_ACTIVITIES:
        raise errors.invalid(f"page_size must be at most {MAX_ACTIVITIES}")
    return size


def _count(query: Query, name: str, default: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text[:9]) < 1:
        raise errors.invalid(f"{name} must be a positive number")
    return int(text[:9])
