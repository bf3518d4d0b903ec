"""Answers that are lost, that lie or that are none: each costs only itself, and none makes a second order."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING

import pytest

from tests.chaos.sandbox import LIST, LOOKUP, PAPER

if TYPE_CHECKING:
    from tests.chaos.world import World
    from worker.sandbox.values import Json

# Whatever the broker has done, these tell nothing for certain.
UNREADABLE: dict[str, dict[str, Json]] = {
    "an empty body": {"action": "answer", "body": "empty"},
    "half a body": {"action": "answer", "body": "truncated"},
    "a page": {"action": "answer", "body": "html"},
    "a megabyte of HTML": {"action": "answer", "body": "huge_html"},
    "an escaped null character": {"action": "answer", "body": "nul"},
    "a lone surrogate": {"action": "answer", "body": "lone_surrogate"},
    "a null byte": {"action": "answer", "body": "raw_nul"},
    "bytes that are no text": {"action": "answer", "body": "not_utf8"},
    "another order": {"action": "answer", "body": "other_order"},
    "deeply nested JSON": {"action": "answer", "text": "[" * 100_000},
    "a number beyond numeric": {"action": "answer", "text": '{"id": 1e999999}'},
    "Alpaca's 500": {"action": "answer", "body": "internal_error"},
    "an HTML 502": {"action": "answer", "body": "bad_gateway"},
    "an HTML 503": {"action": "answer", "body": "service_unavailable"},
    "an HTML 504": {"action": "answer", "body": "gateway_timeout"},
    "an HTML 429": {"action": "answer", "body": "too_many_requests_html"},
    "an HTML 404": {"action": "answer", "body": "not_found_html"},
    "a 404 of another path": {"action": "answer", "body": "endpoint_not_found"},
    "a redirect": {"action": "answer", "status": 307, "headers": {"Location": "/v2/orders"}},
    "a body without end": {"action": "endless"},
    "a body that drips": {"action": "endless", "chunk_bytes": 1, "pace_ms": 20},
    "a closed connection": {"action": "close"},
    "a reset connection": {"action": "reset"},
    "no answer": {"action": "hang"},
}
SYMBOLS = ["".join(letters) for letters in product("X", ascii_uppercase)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_tells_nothing_costs_only_itself(world: World, when: str) -> None:
    """All of them at once, each on a symbol of its own; the good ones go through meanwhile."""
    world.change_account(max_in_doubt=100, crowd_lookup_wait="200 ms")
    doubtful = {what: world.propose(symbol) for what, symbol in zip(UNREADABLE, SYMBOLS, strict=False)}
    for what, symbol in zip(UNREADABLE, SYMBOLS, strict=False):
        world.sandbox.misbehave(UNREADABLE[what], match={"method": "POST", "symbol": symbol}, when=when)
    good = [world.propose(symbol) for symbol in ("KO", "PEP")]
    world.worker()
    world.wait_for("submitted", *good, *doubtful.values())
    for what, decision in doubtful.items():
        # a busy machine may find no time to send in before
        assert next(told for told in world.meanings(decision) if told != "not_sent") == "in_doubt", what
        assert world.sandbox.posts_of(decision) == {"before": 2, "after": 1}[when], what
    for decision in good:
        assert world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("question", [LOOKUP, LIST], ids=["lookup", "list"])
def test_a_read_that_tells_nothing_proves_nothing(world: World, question: dict[str, Json]) -> None:
    """The order is not there, and the broker says anything but that, once in each way."""
    world.change_account(lookup_max_wait="50 ms", backoff_max="50 ms")
    world.sandbox.fault("close", when="before")
    for number, how in enumerate(UNREADABLE.values()):
        world.sandbox.misbehave(how, match=question, nth=number + 1)
    decision = world.propose()
    world.worker()
    world.wait_for("submitted", decision)
    answers = [call for call in world.sandbox.calls() if call["faults"]]
    assert len(answers) == 1 + len(UNREADABLE)
    assert world.story(decision)[2:] == ["submitting", "in_doubt", "approved", "submitting", "submitted"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("body", "when"), [("rate_limited", "before"), ("rate_limited_without_code", "after")]
)
def test_a_throttled_submit_is_looked_up_before_it_is_sent_again(world: World, body: str, when: str) -> None:
    world.sandbox.fault("answer", body=body, when=when, ratelimit_headers=False, headers={"Retry-After": "1"})
    decision = world.propose()
    world.worker()
    world.wait_for("submitted", decision)
    calls = world.sandbox.calls_of(decision)
    assert [call["method"] for call in calls] == {
        "before": ["POST", "GET", "POST"],
        "after": ["POST", "GET"],
    }[when]
    assert world.meanings(decision)[0] == "throttled"
    [(paused_s,)] = world.rows(
        "select extract(epoch from max(w.claimed_at) filter (where w.kind = 'find_order')"
        " - min(w.recorded_at) filter (where w.meaning = 'throttled')) from orderlatch.wire as w"
    )
    assert paused_s >= 0.99, "Retry-After was 1 second"


@pytest.mark.parametrize("body", ["unauthorized", "unauthorized_with_code", "forbidden"])
def test_a_key_that_is_not_accepted_halts_the_account(world: World, body: str) -> None:
    world.ready_worker()
    world.sandbox.fault("answer", body=body, when="before")
    decision = world.propose()
    world.wait_until(lambda: world.incidents() == ["unauthorized"], what="the incident is open")
    other = world.propose("KO")
    assert world.status(decision) == world.status(other) == "approved"
    world.run("select orderlatch.lift_halt(h.halt_id, 'new key') from orderlatch.standing_halts as h")
    world.wait_for("submitted", decision, other)
    assert world.meanings(decision) == ["unauthorized", "order_exists"]
    assert world.meanings(other) == ["order_exists"]


def test_a_duplicate_answer_is_looked_up(world: World) -> None:
    """The order is there, and only the answer says that it was there before."""
    world.sandbox.fault("answer", body="duplicate")
    decision = world.propose()
    world.worker()
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["duplicate"]
    assert world.sandbox.posts_of(decision) == 1


@pytest.mark.parametrize("found", [True, False])
def test_a_refusal_of_an_unclean_decision_is_not_believed(world: World, found: bool) -> None:
    """The first copy is lost or hidden; the second is refused, perhaps because of the first."""
    world.sandbox.fault("close", when="after" if found else "before")
    world.sandbox.fault("hide", seconds=3600)
    world.sandbox.fault("answer", nth=2, body="insufficient_buying_power", when="before")
    decision = world.propose()
    world.worker()
    world.wait_until(lambda: "refused_unclean" in world.meanings(decision), what="the copy is refused")
    world.sandbox.advance(3600)
    world.wait_for("submitted" if found else "refused", decision)
    assert world.sandbox.posts_of(decision) == 2


def test_a_gateway_that_repeats_the_request_betrays_no_key(world: World) -> None:
    """Some show what they were sent in the page that says that they failed."""
    page = f"<pre>apca-api-key-id: {PAPER.key}\napca-api-secret-key: {PAPER.secret}</pre>"
    world.sandbox.fault("answer", text=page, status=502)
    decision = world.propose()
    world.worker()
    world.wait_for("submitted", decision)
    [(body,)] = world.rows(
        "select convert_from(r.body, 'UTF8') from orderlatch_data.broker_responses as r where r.status = 502"
    )
    assert str(body).startswith("<pre>apca-api-key-id: *")
