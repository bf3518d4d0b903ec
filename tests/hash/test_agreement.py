"""SQL and the second canonicaliser agree on every decision that hypothesis can think of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from tests.hash.canonical import Refused, hash_decision, parse
from tests.hash.deliveries import Delivery, bent, sound, twins

if TYPE_CHECKING:
    import psycopg

    from tests.support.sessions import Connect

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
VECTORS = [
    vector
    for file in ("decision_hash_vectors.json", "decision_hash_more_vectors.json")
    for vector in json.loads((FIXTURES / file).read_text())
]

pytestmark = pytest.mark.every_major

thorough = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def ask_sql(session: psycopg.Connection, delivery: Delivery) -> tuple[str | None, str | None, str | None]:
    """Intent, hash and error code, as SQL sees them."""
    row = session.execute(
        "select (r.decisions[1]).intent, encode((r.decisions[1]).decision_hash, 'hex'), r.error_code"
        " from orderlatch_data.read_decision(%s, %s::jsonb) as r",
        [delivery.account, delivery.decision],
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def ask_python(delivery: Delivery) -> tuple[str | None, str | None, str | None]:
    """The same, as the second canonicaliser sees them."""
    try:
        hashed = hash_decision(delivery.account, parse(delivery.decision))
    except Refused as refused:
        return None, None, refused.code
    return hashed.intent, hashed.decision_hash, None


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_second_canonicaliser_knows_the_vectors(vector: dict[str, str]) -> None:
    hashed = hash_decision(vector["account"], parse(vector["decision_json"]))
    assert (hashed.intent, hashed.decision_hash) == (vector["canonical"], vector["sha256"])


def test_they_agree_on_sound_decisions(connect: Connect) -> None:
    session = connect()

    @thorough
    @given(sound())
    def agree(delivery: Delivery) -> None:
        intent, decision_hash, code = ask_sql(session, delivery)
        assert code is None
        assert (intent, decision_hash, code) == ask_python(delivery)

    agree()


def test_they_refuse_the_same_decisions_with_the_same_codes(connect: Connect) -> None:
    session = connect()

    @thorough
    @given(bent())
    def agree(delivery: Delivery) -> None:
        assert ask_sql(session, delivery) == ask_python(delivery)

    agree()


def test_an_intent_has_one_hash_however_it_is_spelled(connect: Connect) -> None:
    session = connect()

    @thorough
    @given(twins())
    def agree(pair: tuple[Delivery, Delivery]) -> None:
        first, second = (ask_sql(session, delivery) for delivery in pair)
        assert first[2] is None
        assert first == second

    agree()


def test_an_intent_is_a_decision_with_the_same_intent(connect: Connect) -> None:
    session = connect()

    @thorough
    @given(sound())
    def settle(delivery: Delivery) -> None:
        intent, decision_hash, _ = ask_sql(session, delivery)
        assert intent is not None
        assert ask_sql(session, Delivery(delivery.account, intent)) == (intent, decision_hash, None)

    settle()
