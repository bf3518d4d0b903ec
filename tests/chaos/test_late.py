"""Orders that arrive late, and lookups that fail for long, with the waits that real accounts have.

Time passes only where a test lets it, for the broker and the database alike. The first 404 that counts is of
a lookup 80 s after the claim (20 s for the answer, 60 s of quiet), the second of one 30 s after that.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.chaos.sandbox import LIST, LOOKUP

if TYPE_CHECKING:
    from tests.chaos.world import World
    from worker.sandbox.values import Json

ANSWERED = """
select count(*)::int from orderlatch.wire as w where w.kind = 'find_order' and w.state = 'answered'
"""
LISTS = "select count(*)::int from orderlatch.wire as w where w.kind = 'list_orders'"
PROVED_ABSENT = ["submitting", "in_doubt", "approved"]


def lose_a_submit(world: World, *, late_s: float | None = None, when: str = "after", **members: str) -> str:
    """Propose a decision whose submit is cut off; returns when its order was looked for in vain.

    `late_s`: only then is its order created. `when`: before or after that the submit is cut off.
    """
    if late_s is not None:
        world.sandbox.fault("late_order", seconds=late_s)
    world.sandbox.fault("close", when=when)
    decision = world.propose(**members)
    world.worker(poll_ms=100)
    world.wait_until(partial(looked, world, 1), what="the first lookup is answered")
    assert world.status(decision) == "in_doubt"
    return decision


def look_again(world: World, *, after_s: float, times: int = 1) -> None:
    """Let time pass; each time another lookup is due, and is waited for."""
    for _ in range(times):
        wanted = world.number(ANSWERED) + 1
        world.pass_time(after_s)
        world.wait_until(partial(looked, world, wanted), what="another lookup is answered")


def looked(world: World, times: int) -> bool:
    return world.number(ANSWERED) >= times


@pytest.mark.thorough
def test_an_order_20_seconds_late_is_found(patient_world: World) -> None:
    decision = lose_a_submit(patient_world, late_s=20)
    for seconds in (1, 2, 4, 8):
        look_again(patient_world, after_s=seconds)
    assert patient_world.status(decision) == "in_doubt"
    patient_world.pass_time(16)
    patient_world.wait_for("submitted", decision)
    assert patient_world.meanings(decision, "find_order") == [*["absent"] * 5, "order_exists"]
    assert patient_world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("late_s", [61, 100])
def test_an_order_is_found_that_comes_before_its_absence_is_proved(patient_world: World, late_s: int) -> None:
    """Before any 404 counts; and after one has counted, before the second."""
    decision = lose_a_submit(patient_world, late_s=late_s)
    look_again(patient_world, after_s=30, times=late_s // 30)
    assert patient_world.status(decision) == "in_doubt"
    patient_world.pass_time(30)
    patient_world.wait_for("submitted", decision)
    assert patient_world.sandbox.posts_of(decision) == 1


def test_two_404s_in_quick_succession_prove_nothing(patient_world: World) -> None:
    patient_world.change_account(lookup_max_wait="5 seconds")
    decision = lose_a_submit(patient_world, late_s=102)
    look_again(patient_world, after_s=30, times=3)
    look_again(patient_world, after_s=5, times=2)
    assert patient_world.status(decision) == "in_doubt"
    patient_world.pass_time(5)
    patient_world.wait_for("submitted", decision)
    assert patient_world.number(LISTS) == 0, "the proof had come to its last step"
    assert patient_world.sandbox.posts_of(decision) == 1


def test_an_order_is_found_by_the_list_that_was_to_complete_the_proof(patient_world: World) -> None:
    decision = lose_a_submit(patient_world, late_s=130)
    patient_world.sandbox.fault("gate", match=LIST, gate="list", when="before")
    look_again(patient_world, after_s=30, times=4)
    patient_world.sandbox.wait_for_held("list")
    patient_world.sandbox.advance(10)
    patient_world.sandbox.release("list")
    patient_world.wait_for("submitted", decision)
    assert set(patient_world.meanings(decision, "find_order")) == {"absent"}
    assert patient_world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("checks", "meaning"),
    [
        (["uniqueness", "buying_power"], "duplicate"),
        (["buying_power", "uniqueness"], "refused_unclean"),
    ],
)
def test_an_order_that_comes_between_the_proof_and_its_repeat(
    patient_world: World, checks: list[Json], meaning: str
) -> None:
    """The first copy takes the id, and the money too: the broker may speak of either."""
    patient_world.sandbox.settings(checks=checks)
    patient_world.sandbox.tell("PUT", "accounts/paper", {"cash": "100", "multiplier": "1"})
    patient_world.sandbox.fault("gate", nth=2, gate="repeat", when="before")
    decision = lose_a_submit(patient_world, late_s=130, order_type="limit", limit_price="75")
    look_again(patient_world, after_s=30, times=4)
    patient_world.sandbox.wait_for_held("repeat")
    assert patient_world.story(decision)[2:] == [*PROVED_ABSENT, "submitting"]
    patient_world.sandbox.advance(10)
    patient_world.sandbox.release("repeat")
    patient_world.wait_for("submitted", decision)
    assert patient_world.meanings(decision) == ["in_doubt", meaning]
    assert patient_world.sandbox.posts_of(decision) == 2


@pytest.mark.thorough
def test_an_order_that_comes_after_its_repeat_is_refused_by_the_broker(patient_world: World) -> None:
    decision = lose_a_submit(patient_world, late_s=3600)
    look_again(patient_world, after_s=30, times=4)
    patient_world.wait_for("submitted", decision)
    assert patient_world.story(decision)[2:] == [*PROVED_ABSENT, "submitting", "submitted"]
    patient_world.pass_time(3600)
    summary = patient_world.sandbox.summary()
    assert (summary["late_orders_due"], summary["orders"], summary["posts"]) == (0, 1, 2)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("body", "exists"), [("internal_error", True), ("bad_gateway", True), ("endpoint_not_found", False)]
)
def test_a_lookup_that_fails_for_an_hour_proves_nothing(
    patient_world: World, body: str, exists: bool
) -> None:
    """After it the order is found; or its absence proved, an hour too late to send it again."""
    outage = patient_world.sandbox.fault("answer", match=LOOKUP, body=body, when="before", count=None)
    decision = lose_a_submit(patient_world, when="after" if exists else "before")
    look_again(patient_world, after_s=300, times=12)
    other = patient_world.propose("KO")
    patient_world.wait_for("submitted", other)
    assert patient_world.status(decision) == "in_doubt"
    assert set(patient_world.meanings(decision, "find_order")) == {"in_doubt"}
    patient_world.sandbox.clear(outage)
    if exists:
        patient_world.pass_time(300)
        patient_world.wait_for("submitted", decision)
    else:
        look_again(patient_world, after_s=300, times=2)
        patient_world.wait_for("lapsed", decision)
    assert patient_world.sandbox.posts_of(decision) == 1


def test_an_order_that_never_arrives_is_sent_three_times_at_most(patient_world: World) -> None:
    patient_world.sandbox.fault("close", nth=2, count=None, when="before")
    decision = lose_a_submit(patient_world, when="before")
    for submits in (2, 3):
        look_again(patient_world, after_s=30, times=4)
        patient_world.wait_until(
            partial(is_in_doubt_after, patient_world, decision, submits), what=f"{submits} submits in doubt"
        )
    look_again(patient_world, after_s=30, times=4)
    patient_world.wait_for("lapsed", decision)
    assert patient_world.story(decision)[2:] == [*PROVED_ABSENT * 2, "submitting", "in_doubt", "lapsed"]
    assert patient_world.sandbox.posts_of(decision) == 3


def is_in_doubt_after(world: World, decision: str, submits: int) -> bool:
    """And has been looked for in vain: once at once, and four times before each repeat."""
    return (len(world.meanings(decision)), world.number(ANSWERED)) == (submits, 5 * submits - 4)


@pytest.mark.thorough
@pytest.mark.parametrize("body", ["duplicate", "duplicate_409"])
def test_a_duplicate_answer_without_an_order_waits_for_a_person(patient_world: World, body: str) -> None:
    """Ten minutes of 404s prove nothing against it; then an operator finds the order, and adopts it."""
    patient_world.sandbox.fault("answer", body=body, when="before")
    decision = patient_world.propose()
    patient_world.worker(poll_ms=100)
    patient_world.wait_until(partial(looked, patient_world, 1), what="the first lookup is answered")
    look_again(patient_world, after_s=30, times=19)
    assert patient_world.incidents() == []
    look_again(patient_world, after_s=30)
    assert patient_world.incidents() == ["duplicate_without_order"]
    behind, other = patient_world.propose(), patient_world.propose("KO")
    patient_world.wait_for("submitted", other)
    assert (patient_world.status(decision), patient_world.status(behind)) == ("in_doubt", "approved")
    assert patient_world.sandbox.posts_of(decision) == 1

    order = patient_world.sandbox.tell("POST", "orders", BY_HAND)
    assert isinstance(order, dict)
    adopt = "select orderlatch.resolve_in_doubt(%s, 'adopt', jsonb_build_object('broker_order_id', %s::text))"
    assert patient_world.rows(adopt, decision, order["id"]) == [("submitted",)]
    patient_world.wait_for("submitted", behind)


BY_HAND: Json = {
    "account": "paper",
    "order": {"symbol": "GOOG", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"},
}
