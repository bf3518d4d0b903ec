"""Spellings: the ways in which JSON can write one text, number, time or object."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import TypeAlias

from hypothesis import strategies as st

# A JSON text: numbers are kept to the letter, so nothing is built with floats.
Text: TypeAlias = str

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
# The usual context rounds to 28 digits.
EXACT = Context(prec=200)
NAMES = st.characters(exclude_categories=["Cs", "Cc"])


def texts(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    """Texts without control characters."""
    return st.text(NAMES, min_size=shortest, max_size=longest)


@st.composite
def quoted(draw: st.DrawFn, text: str) -> Text:
    """One of the JSON spellings of a text."""
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


def plain(number: Decimal) -> str:
    """A number without an exponent, as a person would write it."""
    return format(number, "f")


@st.composite
def respelled(draw: st.DrawFn, number: Decimal) -> Text:
    """One of the spellings of a number above zero, as a JSON number or in a string."""
    spelled = plain(number)
    if draw(st.booleans()):
        spelled = spelled if "." in spelled else spelled + "."
        spelled = (spelled + "0" * draw(st.integers(0, 9))).removesuffix(".")
    if draw(st.booleans()):
        shift = draw(st.integers(-9, 9))
        spelled = f"{plain(EXACT.scaleb(number, -shift))}{draw(st.sampled_from('eE'))}{shift:+d}"
    if draw(st.booleans()):
        return spelled
    sign, zeros = draw(st.sampled_from(("", "+"))), "0" * draw(st.integers(0, 3))
    if spelled.startswith("0.") and draw(st.booleans()):
        spelled, zeros = spelled[1:], ""
    return json.dumps(sign + zeros + spelled)


@st.composite
def numbers(draw: st.DrawFn) -> Decimal:
    """Numbers above zero with at most 64 digits."""
    if draw(st.integers(0, 9)) == 0:
        # the last that have 64, wherever the point stands, and what a float would round
        digits = draw(st.sampled_from((1, 10**63, 10**63 + 1, 10**64 - 1, 2**53 + 1)))
        places = 64 if digits < 10**63 else draw(st.integers(0, 64))
        return EXACT.scaleb(Decimal(digits), -places)
    digits = draw(st.integers(1, 10 ** draw(st.integers(1, 40))))
    return EXACT.scaleb(Decimal(digits), draw(st.integers(-24, 23)))


@st.composite
def times(draw: st.DrawFn, moment: datetime) -> Text:
    """One of the spellings of a time in UTC."""
    offset = draw(st.integers(-23 * 60 - 59, 23 * 60 + 59))
    try:
        local = moment + timedelta(minutes=offset)
    except OverflowError:
        offset, local = 0, moment
    text = local.replace(tzinfo=None).isoformat(sep=draw(st.sampled_from("Tt ")), timespec="seconds")
    fraction = f"{moment.microsecond:06d}"
    short = fraction.rstrip("0")
    if short or draw(st.booleans()):
        text += "." + draw(st.sampled_from((short or "0", fraction, fraction + "000")))
    elif local.second == 0 and draw(st.booleans()):
        text = text[:-3]
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    zones = [f"{sign}{hours:02d}:{minutes:02d}", f"{sign}{hours:02d}{minutes:02d}"]
    zones += [f"{sign}{hours:02d}"] * (minutes == 0) + ["Z", "z", "-00:00"] * (offset == 0)
    return json.dumps(text + draw(st.sampled_from(zones)))


MOMENTS = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from((datetime.min, datetime.max, datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6))).map(
        lambda moment: moment.replace(tzinfo=UTC)
    ),
)


@st.composite
def numbers_in_json(draw: st.DrawFn) -> Text:
    """A JSON number of either sign in some spelling."""
    number = draw(st.one_of(st.just(Decimal(0)), numbers()))
    spelled = draw(respelled(number)).strip('"').lstrip("+").lstrip("0").removesuffix(".")
    if not spelled or not spelled[0].isdigit():
        spelled = "0" + spelled
    return draw(st.sampled_from(("", "-"))) + spelled.replace(".e", "e").replace(".E", "E")


def objects(inner: st.SearchStrategy[Text]) -> st.SearchStrategy[Text]:
    """JSON objects, sometimes with a key twice."""
    keys = st.text(CHARACTERS, max_size=6).flatmap(quoted)
    members = st.lists(st.tuples(keys, inner), max_size=5)
    return members.map(lambda given: "{" + ", ".join(f"{key}: {value}" for key, value in given) + "}")


SCALARS = st.one_of(
    st.sampled_from(("null", "true", "false")),
    numbers_in_json(),
    st.text(CHARACTERS, max_size=12).flatmap(quoted),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda given: f"[{','.join(given)}]"), objects(inner)
    ),
    max_leaves=12,
)
PARAMS = objects(VALUES)


@st.composite
def cased(draw: st.DrawFn, word: str) -> Text:
    """A word in mixed case."""
    return json.dumps("".join(draw(st.sampled_from((c.upper(), c.lower()))) for c in word))
