"""The market's hours: /v2/clock and /v2/calendar. Weekdays from 9:30 to 16:00; holidays are not known."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from worker.sandbox import errors
from worker.sandbox.clock import NS
from worker.sandbox.queries import Query
from worker.sandbox.values import Json, new_york, new_york_midnight_ns, session_close_ns

_OPENS_NS: Final = 34_200 * NS  # 9:30
_MAX_DAYS: Final = 4000


def clock_json(now_ns: int, *, is_open: bool) -> Json:
    """The clock, in New York's time. Whether the market is open is the setting `market`, not the hour."""
    day = new_york(now_ns).date()
    opens_ns = _open_ns(day)
    while opens_ns <= now_ns or day.weekday() > 4:
        day += timedelta(days=1)
        opens_ns = _open_ns(day)
    return {
        "timestamp": _local_text(now_ns),
        "is_open": is_open,
        "next_open": _local_text(opens_ns),
        "next_close": _local_text(session_close_ns(now_ns)),
    }


def calendar_json(query: Query, now_ns: int) -> Json:
    """The trading days from start to end, both included."""
    today = new_york(now_ns).date()
    start, end = _day(query, "start", today), _day(query, "end", today + timedelta(days=30))
    days = (start + timedelta(days=number) for number in range(min((end - start).days + 1, _MAX_DAYS)))
    return [
        {
            "date": day.isoformat(),
            "open": "09:30",
            "close": "16:00",
            "session_open": "0400",
            "session_close": "2000",
            "settlement_date": _next_weekday(day).isoformat(),
        }
        for day in days
        if day.weekday() < 5
    ]


def _open_ns(day: date) -> int:
    return new_york_midnight_ns(day) + _OPENS_NS


def _next_weekday(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day


def _day(query: Query, name: str, default: date) -> date:
    try:
        return date.fromisoformat(query[name][:10]) if query.get(name) else default
    except ValueError:
        raise errors.invalid(f"invalid {name}: {query[name]}") from None


def _local_text(ns: int) -> str:
    local = new_york(ns)
    hours = round((datetime.fromtimestamp(ns // NS, UTC).replace(tzinfo=None) - local) / timedelta(hours=1))
    fraction = f".{ns % NS:09d}" if ns % NS else ""
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}-{hours:02d}:00"
