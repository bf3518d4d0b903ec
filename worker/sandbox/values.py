"""Decimals, times and JSON as Alpaca writes and reads them."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias

from worker.sandbox.clock import NS

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | Decimal | None"

MAX_DIGITS: Final = 18
GTC_LIFE_NS: Final = 90 * 86_400 * NS  # [D/M]


def parse_json(text: bytes | str) -> Json:
    """Read JSON with numbers as Decimal (alpaca-py sends numbers [S PY]). Raises ValueError."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    value: Json = _DECODER.decode(text)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def to_json(value: Json) -> bytes:
    """Write compact JSON. Alpaca's decimals are text before; a Decimal is a number that someone sent us."""
    return _ENCODER.encode(value).encode()


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), default=_number)


_chance: Final = random.Random()


def new_uuid() -> str:
    """A random UUID of version 4. Nothing here is a secret, so the kernel need not be asked each time."""
    return uuid_text(_chance.getrandbits(122))


def uuid_text(bits: int) -> str:
    """122 bits as a UUID of version 4."""
    digits = f"{bits:032x}"
    return f"{digits[2:10]}-{digits[10:14]}-4{digits[14:17]}-8{digits[17:20]}-{digits[20:]}"


def decimal_of(value: Json) -> Decimal:
    """Read a decimal from a JSON string or number. Raises ValueError for anything else or absurd sizes."""
    if not isinstance(value, str | Decimal):
        raise ValueError("not a decimal")  # noqa: TRY004 (to a caller of the API this is a bad value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a decimal") from None
    if not number.is_finite() or (number and not -MAX_DIGITS <= number.adjusted() <= MAX_DIGITS):
        raise ValueError("not a decimal of a sensible size")
    return number


def decimal_text(number: Decimal) -> str:
    """Write a decimal without exponent or trailing zeros, as the recorded answers do [M REC]."""
    return format(number.normalize(), "f") if number else "0"


def decimal_text_or_none(number: Decimal | None) -> str | None:
    """Like decimal_text; null stays null."""
    return None if number is None else decimal_text(number)


def decimal_places(number: Decimal) -> int:
    """How many digits follow the point once trailing zeros are gone."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=8192)
def time_text(ns: int) -> str:
    """RFC 3339 in UTC with up to nine fractional digits, trailing zeros trimmed [M REC]."""
    seconds, fraction = divmod(ns, NS)
    if not fraction:
        return f"{_stamp(seconds)}Z"
    return f"{_stamp(seconds)}.{fraction:09d}".rstrip("0") + "Z"


@lru_cache(maxsize=8192)
def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def new_york(ns: int) -> datetime:
    """The wall clock of New York, to the microsecond, without a zone."""
    seconds = ns // NS
    local = datetime.fromtimestamp(seconds - _behind_utc_s(seconds // 3600), UTC)
    return local.replace(tzinfo=None, microsecond=ns % NS // 1000)


@lru_cache(maxsize=16_384)
def _behind_utc_s(hour: int) -> int:
    """How far New York is behind UTC in an hour since 1970.

    Clocks go forward at 2:00 of winter time and back at 2:00 of summer time, both on a Sunday.
    """
    summer = datetime.fromtimestamp((hour - 4) * 3600, UTC).replace(tzinfo=None)
    begins, ends = _summer_begins(summer.year), _summer_ends(summer.year)
    return 3600 * (4 if begins + timedelta(hours=3) <= summer < ends + timedelta(hours=2) else 5)


def time_text_or_none(ns: int | None) -> str | None:
    """Like time_text; null stays null."""
    return None if ns is None else time_text(ns)


def parse_time(text: str) -> int:
    """Read RFC 3339 or a plain date, to the nanosecond. Raises ValueError."""
    # A form-decoded "+00:00" arrives as " 00:00" from clients that do not escape the plus sign.
    text = text.strip().replace(" ", "+" if text.count(":") > 2 else "T")
    point = text.find(".")
    fraction_ns = 0
    if point >= 0:
        end = point + 1
        while end < len(text) and text[end].isdigit():
            end += 1
        digits = text[point + 1 : end]
        if not 1 <= len(digits) <= 9:
            raise ValueError("bad fraction of a second")
        fraction_ns = int(digits.ljust(9, "0"))
        text = text[:point] + text[end:]
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * NS + fraction_ns


def expires_ns(time_in_force: str, now_ns: int) -> int:
    """When an order that comes in now ends by itself."""
    return now_ns + GTC_LIFE_NS if time_in_force == "gtc" else session_close_ns(now_ns)


def session_close_ns(now_ns: int) -> int:
    """The next 16:00 in New York on a weekday: when a day order expires. Holidays are not known."""
    return _session_close_s(now_ns // NS) * NS


@lru_cache(maxsize=64)
def _session_close_s(now_s: int) -> int:
    moment = datetime.fromtimestamp(now_s, UTC)
    day = moment.date()
    while True:
        close = datetime(day.year, day.month, day.day, 16, tzinfo=UTC) + _behind_utc(day)
        if day.weekday() < 5 and close > moment:
            return round(close.timestamp())
        day += timedelta(days=1)


def new_york_midnight_ns(day: date) -> int:
    """When a day begins in New York. Clocks change at two at night."""
    winter = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=5)
    begins = _summer_begins(day.year).date() < day <= _summer_ends(day.year).date()
    return round((winter - timedelta(hours=1 if begins else 0)).timestamp()) * NS


def _behind_utc(day: date) -> timedelta:
    """How far New York is behind UTC at the close of a day."""
    summer = _summer_begins(day.year).date() <= day < _summer_ends(day.year).date()
    return timedelta(hours=4 if summer else 5)


def _summer_begins(year: int) -> datetime:
    """Midnight of the second Sunday of March."""
    march = datetime(year, 3, 8)
    return march + timedelta(days=6 - march.weekday())


def _summer_ends(year: int) -> datetime:
    """Midnight of the first Sunday of November."""
    november = datetime(year, 11, 1)
    return november + timedelta(days=6 - november.weekday())
