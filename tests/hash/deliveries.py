"""Decisions as strategies might deliver them: in every spelling, and wrong in every way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st

from tests.hash.canonical import CHOICES, DECIMALS, NESTED
from tests.hash.spellings import (
    CHARACTERS,
    MOMENTS,
    PARAMS,
    VALUES,
    Text,
    cased,
    numbers,
    quoted,
    respelled,
    texts,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Members: TypeAlias = "dict[str, Text]"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An account and a decision as JSON text."""

    account: str
    decision: Text


def members_of(values: Mapping[str, st.SearchStrategy[Text]]) -> st.SearchStrategy[Members]:
    """Any of the members, each also as null."""
    optional = {name: st.one_of(st.just("null"), value) for name, value in values.items()}
    return st.fixed_dictionaries({}, optional=optional)


def as_object(members: Members) -> Text:
    """Members as a JSON object."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


PRICE = numbers().flatmap(respelled)
REQUIRED: dict[str, st.SearchStrategy[Text]] = {
    "strategy_id": texts(128).flatmap(quoted),
    "symbol": st.tuples(st.text(" \t\r\n", max_size=3), texts(60), st.text(" \t\r\n", max_size=3))
    .filter(lambda parts: parts[1].strip(" \t\r\n") != "")
    .flatmap(lambda parts: quoted("".join(parts))),
    "event_ts": MOMENTS.flatmap(times),
    "timeframe": texts(32).flatmap(quoted),
    "action": st.sampled_from(CHOICES["action"]).flatmap(cased),
}
OPTIONAL: dict[str, st.SearchStrategy[Text]] = {
    **dict.fromkeys(DECIMALS, PRICE),
    **{name: st.sampled_from(words).flatmap(cased) for name, words in CHOICES.items() if name != "action"},
    **{name: members_of(dict.fromkeys(inner, PRICE)).map(as_object) for name, inner in NESTED.items()},
    "leg": texts(64, 0).flatmap(quoted),
    "extended_hours": st.sampled_from(("true", "false")),
    "params": PARAMS,
    "metadata": PARAMS,
    "rationale": st.text(CHARACTERS, max_size=40).flatmap(quoted),
    "valid_until": MOMENTS.flatmap(times),
    "v": st.sampled_from(("1", "1.0", "1e0")),
}


def _shuffled(members: Members) -> st.SearchStrategy[Members]:
    return st.permutations(sorted(members)).map(lambda names: {name: members[name] for name in names})


SOUND_MEMBERS: st.SearchStrategy[Members] = st.builds(
    lambda required, optional: {**required, **optional}, st.fixed_dictionaries(REQUIRED), members_of(OPTIONAL)
).flatmap(_shuffled)

ACCOUNTS = texts(64)


def sound() -> st.SearchStrategy[Delivery]:
    """Decisions that have a hash."""
    return st.builds(Delivery, ACCOUNTS, SOUND_MEMBERS.map(as_object))


@st.composite
def bent_times(draw: st.DrawFn) -> Text:
    """A time with one character changed."""
    text = json.loads(draw(MOMENTS.flatmap(times)))
    place = draw(st.integers(0, len(text) - 1))
    return json.dumps(text[:place] + draw(st.sampled_from("0123456789:-+.TZ zt")) + text[place + 1 :])


NOT_QUITE_NUMBERS = st.one_of(
    st.text("0123456789.,+-eE_ x", min_size=1, max_size=6).flatmap(quoted),
    st.integers(-(10**66), 10**66).map(str),
    st.integers(60, 66).map(lambda digits: f'"{"9" * (digits - 2)}.{"9" * 2}"'),
    st.sampled_from(
        ("1e64", "1e-65", "1e4000", "0", "-0.0", "-1", '"NaN"', '"Infinity"', '""', f'"{"0" * 128}1"')
    ),
)
NOT_QUITE_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=140).flatmap(
        quoted
    ),
    st.integers(30, 140).map(lambda length: json.dumps("x" * length)),
)
NOT_QUITE_WORDS = st.sampled_from(
    ['""', '"mleg"', '"buy "', '"\u017fell"', '"DAY"', '"simple"', '"stop-limit"']
)
NOT_QUITE: dict[str, st.SearchStrategy[Text]] = {
    **dict.fromkeys(("event_ts", "valid_until"), bent_times()),
    **dict.fromkeys(DECIMALS, NOT_QUITE_NUMBERS),
    **dict.fromkeys(("strategy_id", "symbol", "timeframe", "leg", "account"), NOT_QUITE_TEXTS),
    **dict.fromkeys(CHOICES, NOT_QUITE_WORDS),
    "take_profit": NOT_QUITE_NUMBERS.map(lambda price: f'{{"limit_price": {price}}}'),
    "stop_loss": NOT_QUITE_NUMBERS.map(lambda price: f'{{"stop_price": {price}}}'),
    "params": st.one_of(
        NOT_QUITE_NUMBERS.map(lambda number: f'{{"deep": [{{"deeper": {number}}}]}}'),
        st.integers(29, 34).map(lambda levels: f'{{"deep": {"[" * levels}{"]" * levels}}}'),
        st.integers(15_000, 17_000).map(lambda length: f'{{"long": "{"x" * length}"}}'),
    ),
}


@st.composite
def bent(draw: st.DrawFn) -> Delivery:
    """Decisions with one member that may be wrong, missing or unknown."""
    members = draw(SOUND_MEMBERS)
    match draw(st.sampled_from(("near", "near", "near", "near", "anything", "missing", "unknown"))):
        case "near":
            name = draw(st.sampled_from(sorted(NOT_QUITE)))
            members[name] = draw(NOT_QUITE[name])
        case "anything":
            members[draw(st.sampled_from([*REQUIRED, *OPTIONAL, "account", "decision_hash"]))] = draw(VALUES)
        case "missing":
            del members[draw(st.sampled_from(sorted(REQUIRED)))]
        case _:
            members[draw(texts(12))] = draw(VALUES)
    return Delivery(draw(ACCOUNTS), as_object(members))


@st.composite
def twins(draw: st.DrawFn) -> tuple[Delivery, Delivery]:
    """The same decision in two spellings."""
    number, moment, word = draw(numbers()), draw(MOMENTS), draw(st.sampled_from(CHOICES["order_type"]))
    shared = {name: draw(REQUIRED[name]) for name in ("strategy_id", "timeframe")} | {"params": draw(PARAMS)}
    symbol, account = draw(st.text("ABCßé.", min_size=1, max_size=8)), draw(ACCOUNTS)

    def spelling() -> Delivery:
        members = {
            **shared,
            "symbol": json.dumps(
                draw(st.text(" \t\r\n", max_size=2)) + symbol.replace("A", draw(st.sampled_from("Aa")))
            ),
            "event_ts": draw(times(moment)),
            "qty": draw(respelled(number)),
            "order_type": draw(cased(word)),
            "action": draw(cased("sell")),
            **draw(
                members_of({"metadata": PARAMS, "rationale": OPTIONAL["rationale"], "reference_price": PRICE})
            ),
            **draw(
                st.sampled_from(({}, {"order_class": '""'}, {"extended_hours": "false"}, {"leg": "null"}))
            ),
        }
        return Delivery(account, as_object(draw(_shuffled(members))))

    return spelling(), spelling()
