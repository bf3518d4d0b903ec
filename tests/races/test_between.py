"""A claim looks, then takes the locks: what another session has changed in between counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.races.scene import Scene
    from tests.support.sessions import Clock

# Who claims is held up between its look and the lock of a decision while somebody has lock 1.
TRY_LOCK = """
grant execute on function pg_advisory_lock_shared(bigint), pg_advisory_unlock_shared(bigint)
  to orderlatch_owner;
create or replace function orderlatch_data.try_lock_decision(p_lock_key integer) returns boolean
language plpgsql volatile parallel unsafe security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
  return pg_try_advisory_xact_lock(orderlatch_data.lock_class('decision'), p_lock_key);
end
$$
"""
HOLD = "select pg_advisory_lock(1)"
LET_GO = "select pg_advisory_unlock(1)"
CLAIM = "select c.kind from orderlatch.claim_requests(%s, null, 10) as c where c.kind is not null"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed my mind') as w"
# as it is noted while calls of another cluster may be unknown
NOTE_WISH = """
update orderlatch_data.open_decisions set wish = 'changed my mind' where decision_id = test.decision_id(%s)
returning wish
"""
OTHER_TERMS = """
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(%s, '{"qty": "1"}')::text))
"""
MAYBE = "select test.record(test.answer_maybe(test.holder(%s)))"


def held_up_claim(
    scene: Scene, decision_hash: str, change: str, meanwhile: object
) -> list[tuple[object, ...]]:
    """What a claim is granted that looked before a change of the decision, and locks after it."""
    scene.ground.connection.execute(TRY_LOCK.encode())
    scene.ground.rows(HOLD)
    claiming = scene.blocked(CLAIM, scene.worker)
    assert scene.ground.value(change, decision_hash) == meanwhile
    scene.ground.rows(LET_GO)
    return claiming.result(timeout=20)


@pytest.mark.parametrize(
    ("change", "meanwhile", "status"),
    [
        (WITHDRAW, "withdrawn", "withdrawn"),
        (NOTE_WISH, "changed my mind", "approved"),
        (OTHER_TERMS, "order_mismatch", "in_doubt"),
    ],
)
def test_what_was_to_be_submitted_is_not_when_it_may_not_be_any_more(
    scene: Scene, change: str, meanwhile: str, status: str
) -> None:
    decision_hash = scene.given("approved")
    assert held_up_claim(scene, decision_hash, change, meanwhile) == []
    assert scene.status(decision_hash) == status
    scene.ground.rows("update orderlatch_data.open_decisions set wish = null returning wish")


@pytest.mark.parametrize(
    ("change", "meanwhile", "status"),
    [(WITHDRAW, "withdrawn", "withdrawn"), (OTHER_TERMS, "order_mismatch", "in_doubt")],
)
def test_what_was_to_lapse_does_not_when_something_else_became_of_it(
    scene: Scene, clock: Clock, change: str, meanwhile: str, status: str
) -> None:
    decision_hash = scene.given("approved")
    clock.advance(minutes=15)
    assert held_up_claim(scene, decision_hash, change, meanwhile) == []
    assert scene.status(decision_hash) == status


def test_no_list_is_begun_for_a_proof_that_was_undone(scene: Scene, clock: Clock) -> None:
    """Its worker is taken for dead, the order is absent twice, and then the call turns out to go on."""
    decision_hash = scene.given("submitting")
    clock.advance(minutes=1)
    scene.ground.rows("select test.given_absent_twice(%s, %s)", scene.worker, decision_hash)
    assert held_up_claim(scene, decision_hash, MAYBE, "in_doubt") == []
    begun = "select count(*) from orderlatch_data.broker_reads as r where r.purpose = 'proof'"
    assert scene.ground.number(begun) == 0
