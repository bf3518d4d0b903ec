"""Decision hash version 1, written from docs/decision-hash.md alone: no line of it looks at the SQL.

It exists to disagree: what SQL and this module answer differently is a defect of one of them or of the page.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = "str | bool | Decimal | list[Json] | dict[str, Json] | None"

TEXTS = {"strategy_id": (1, 128), "symbol": (1, 64), "timeframe": (1, 32), "leg": (0, 64), "account": (1, 64)}
CHOICES = {
    "action": ("buy", "sell"),
    "order_type": ("market", "limit", "stop", "stop_limit", "trailing_stop"),
    "time_in_force": ("day", "gtc", "opg", "cls", "ioc", "fok"),
    "order_class": ("", "simple", "bracket", "oco", "oto"),
    "position_intent": ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"),
}
PRICES = ("limit_price", "stop_price", "trail_price", "trail_percent")
DECIMALS = ("qty", "notional", *PRICES, "reference_price")
TIMES = ("event_ts", "valid_until")
NESTED = {"take_profit": ("limit_price",), "stop_loss": ("limit_price", "stop_price")}
OTHERS = ("extended_hours", "params", "rationale", "metadata", "decision_hash", "v")
MEMBERS = {*TEXTS, *CHOICES, *DECIMALS, *TIMES, *NESTED, *OTHERS}
REQUIRED = ("strategy_id", "symbol", "event_ts", "timeframe", "action")

INTENT_BYTES = METADATA_BYTES = 16_384
RATIONALE_BYTES = 8_192
LEVELS = 32
DIGITS = 64
DECIMAL_TEXT = 128
TIME_TEXT = 64

DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
TIME = re.compile(
    r"(?P<local>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2})"
    r"(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?)?"
    r"([Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)"
)
ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class Refused(Exception):  # noqa: N818
    """The decision has no hash; the SQLSTATE says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a decision comes to."""

    intent: str
    decision_hash: str


def parse(text: str) -> Json:
    """Read JSON as jsonb does: exact numbers, of equal keys the last one."""

    def refuse(constant: str) -> Json:
        raise ValueError(constant)

    value: Json = json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=refuse)
    return value


def hash_decision(account: str, decision: Json) -> Hashed:
    """The canonical intent of a decision and its hash, or Refused."""
    if not isinstance(decision, dict):
        raise Refused("OL110")
    if any(name not in MEMBERS for name in decision):
        raise Refused("OL111")
    given = {name: value for name, value in decision.items() if value is not None}
    if any(name not in given for name in REQUIRED):
        raise Refused("OL112")
    members: dict[str, Json] = {
        "v": Decimal(1),
        "account": account,
        "order_type": "market",
        "time_in_force": "day",
    }
    for name, value in given.items():
        members[name] = _member(name, value)
    if members["account"] != account or members["v"] != 1:
        raise Refused("OL120")
    if "metadata" in given and len(spell(members["metadata"]).encode()) > METADATA_BYTES:
        raise Refused("OL117")
    for name in ("rationale", "reference_price", "valid_until", "metadata", "decision_hash"):
        members.pop(name, None)
    for name, default in (
        ("leg", ""),
        ("extended_hours", False),
        ("order_class", "simple"),
        ("order_class", ""),
        ("params", {}),
        ("take_profit", {}),
        ("stop_loss", {}),
    ):
        if name in members and members[name] == default:
            del members[name]
    intent = spell(members, LEVELS + 1)  # params are one level down
    if len(intent.encode()) > INTENT_BYTES:
        raise Refused("OL117")
    decision_hash = hashlib.sha256(intent.encode()).hexdigest()
    if given.get("decision_hash", decision_hash) != decision_hash:
        raise Refused("OL121")
    return Hashed(intent, decision_hash)


def _member(name: str, value: Json) -> Json:
    if name in DECIMALS:
        return decimal(value)
    if name in NESTED:
        return _nested(name, value)
    if name in ("params", "metadata"):
        if not isinstance(value, dict):
            raise Refused("OL113")
        spell(value)
        return value
    if name == "extended_hours":
        if not isinstance(value, bool):
            raise Refused("OL113")
        return value
    if name == "v":
        if not isinstance(value, Decimal):
            raise Refused("OL113")
        return value
    if not isinstance(value, str):
        raise Refused("OL113")
    if name in TIMES:
        return time(value)
    if name in CHOICES:
        if (choice := _ascii(value, upper=False)) not in CHOICES[name]:
            raise Refused("OL120")
        return choice
    if name in TEXTS:
        return _text(name, value)
    if name == "rationale" and len(value.encode()) > RATIONALE_BYTES:
        raise Refused("OL117")
    return value


def _text(name: str, value: str) -> str:
    text = _ascii(value.strip(" \t\r\n"), upper=True) if name == "symbol" else value
    shortest, longest = TEXTS[name]
    if len(text) > longest:
        raise Refused("OL116")
    if len(text) < shortest or CONTROLS.search(text):
        raise Refused("OL120")
    return text


def _nested(name: str, value: Json) -> Json:
    if not isinstance(value, dict):
        raise Refused("OL113")
    if any(inner not in NESTED[name] for inner in value):
        raise Refused("OL111")
    return {inner: decimal(price) for inner, price in value.items() if price is not None}


def _ascii(text: str, *, upper: bool) -> str:
    return "".join((c.upper() if upper else c.lower()) if c.isascii() else c for c in text)


def decimal(value: Json) -> str:
    """The canonical decimal of a quantity or price, given as a number or a string."""
    if isinstance(value, str):
        if len(value) > DECIMAL_TEXT:
            raise Refused("OL118")
        if not DECIMAL.fullmatch(value):
            raise Refused("OL114")
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise Refused("OL113")
    if value <= 0:
        raise Refused("OL115")
    return spell(value)


def time(text: str) -> str:
    """The canonical spelling of a time."""
    match = TIME.fullmatch(text)
    if match is None or len(text) > TIME_TEXT:
        raise Refused("OL119")
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > 6 or int(match["hours"] or 0) > 23 or int(match["minutes"] or 0) > 59:
        raise Refused("OL119")
    local = match["local"].upper().replace("T", " ") + ":" + (match["second"] or "00")
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    try:
        moment = datetime.strptime(local, "%Y-%m-%d %H:%M:%S").replace(
            microsecond=int(fraction.ljust(6, "0"))
        )
        moment += offset if match["sign"] == "-" else -offset
    except (ValueError, OverflowError) as error:
        raise Refused("OL119") from error
    return moment.isoformat(timespec="microseconds") + "Z"


def spell(value: Json, levels: int = LEVELS) -> str:
    """Canonical JSON of a value within its limits."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return (
                '"'
                + re.sub('[\x00-\x1f"\\\\]', lambda c: ESCAPES.get(c[0], f"\\u{ord(c[0]):04x}"), value)
                + '"'
            )
        case Decimal():
            return _number(value)
        case _ if levels == 0:
            raise Refused("OL117")
        case list():
            return "[" + ",".join(spell(item, levels - 1) for item in value) + "]"
        case dict():
            items = sorted(value.items(), key=lambda item: item[0].encode())
            return "{" + ",".join(f"{spell(key)}:{spell(item, levels - 1)}" for key, item in items) + "}"


def _number(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    while digits and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    while digits and digits[0] == 0:
        digits = digits[1:]
    if not digits:
        return "0"
    if max(len(digits) + exponent, 0) + max(-exponent, 0) > DIGITS:
        raise Refused("OL118")
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    if exponent < 0:
        text = text.rjust(1 - exponent, "0")
        text = f"{text[:exponent]}.{text[exponent:]}"
    return ("-" if sign else "") + text
