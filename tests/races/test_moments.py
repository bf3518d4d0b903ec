"""What is written of a moment agrees with the order of events, wherever a session is held up in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.races.scene import Scene, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Database
    from tests.support.sessions import Clock, Connect

# The real time. Who records is held up just before reading it while somebody has lock 1; who grants submits,
# just after reading it, while somebody has lock 2.
CLOCK = """
grant execute on function pg_advisory_lock_shared(bigint), pg_advisory_unlock_shared(bigint)
  to orderlatch_owner;
create or replace function orderlatch_data.clock() returns timestamptz
language plpgsql volatile parallel safe security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  v_context text;
  v_now timestamptz := clock_timestamp();
begin
  get diagnostics v_context = pg_context;
  if split_part(v_context, E'\\n', 2) ~ 'orderlatch_data.(record_decisions|record_report)[(]' then
    perform pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
    v_now := clock_timestamp();
  elsif split_part(v_context, E'\\n', 2) ~ 'orderlatch_data.grant_submits[(]' then
    perform pg_advisory_lock_shared(2), pg_advisory_unlock_shared(2);
  end if;
  return v_now;
end
$$
"""
HOLD = "select pg_advisory_lock(%s)"
LET_GO = "select pg_advisory_unlock(%s)"
PROPOSE = "select p.status from orderlatch.propose_decision('paper', test.a_decision(%s::jsonb)) as p"
CLAIM = "select c.kind from orderlatch.claim_requests(%s, null, 10) as c where c.kind is not null"
NOT_SENT = "select test.record(test.answer_not_sent(%s))"
HOLD_ROWS = (
    "select 1 from orderlatch_data.account_states for update",
    "select 1 from orderlatch_data.kind_backoffs for update",
    "select 1 from orderlatch_data.open_decisions for update",
    "select 1 from orderlatch_data.doubts for update",
)
AT_ONCE = '{"backoff_first": "1 millisecond", "backoff_max": "1 millisecond"}'


@pytest.fixture
def held_up(database: Database, connect: Connect) -> Iterator[Scene]:
    """The scene with a clock at which sessions can be held up."""
    scene = Scene.set(database, connect)
    scene.ground.rows("select orderlatch.update_account('paper', %s)", AT_ONCE)
    scene.ground.connection.execute(CLOCK.encode())
    yield scene
    assert scene.violations() == {}


def test_a_decision_is_approved_before_it_is_claimed(held_up: Scene) -> None:
    """The proposal is recorded, the claim begins, the verdict is given and committed, the claim looks."""
    held_up.given("approved", '{"symbol": "A"}')
    held_up.ground.rows(HOLD, 1)
    held_up.ground.rows(HOLD, 2)
    proposing = held_up.blocked(PROPOSE, '{"symbol": "B"}')
    claiming = held_up.blocked(CLAIM, held_up.worker)
    held_up.ground.rows(LET_GO, 1)
    assert only(proposing) == ("approved",)
    held_up.ground.rows(LET_GO, 2)
    assert claiming.result(timeout=20) == [("submit_order",), ("submit_order",)]


def test_a_submit_is_answered_before_the_next_one_is_granted(held_up: Scene) -> None:
    """A call that was not sent is taken back, the claim begins, its answer is written, the claim looks."""
    submitting = held_up.given("submitting", '{"symbol": "B"}')
    held_up.given("approved", '{"symbol": "A"}')
    held_up.ground.rows(HOLD, 1)
    held_up.ground.rows(HOLD, 2)
    recording = held_up.blocked(NOT_SENT, held_up.holder(submitting))
    claiming = held_up.blocked(CLAIM, held_up.worker)
    held_up.ground.rows(LET_GO, 1)
    assert only(recording) == ("not_sent",)
    held_up.ground.rows(LET_GO, 2)
    assert claiming.result(timeout=20) == [("submit_order",), ("submit_order",)]


def test_a_claim_after_the_clock_was_set_back_waits_for_nobody(scene: Scene, clock: Clock) -> None:
    """Rows that another session holds are left alone; the others are not to be waited for any more."""
    scene.given("in_doubt")
    scene.claim(scene.hasty())
    clock.advance(seconds=-3600)
    holding = scene.transaction()
    for hold in HOLD_ROWS:
        assert holding.rows(hold)
    assert scene.claim(scene.hasty()) == []
    holding.commit()


def test_a_submit_is_not_granted_after_the_end_of_the_live_grant(held_up: Scene) -> None:
    """The claim looks while the grant lasts, and is held up until it has ended."""
    held_up.ground.rows("select test.given_account('live', p_environment => 'live')")
    worker = held_up.ground.number("select test.given_worker('live')")
    decision_hash = held_up.ground.text("select test.given_approved_decision('live')")
    held_up.ground.rows("select orderlatch.grant_live('live', '1 second', 'tests')")
    held_up.ground.rows(HOLD, 2)
    claiming = held_up.blocked(CLAIM, worker)
    left = "select g.granted_until > clock_timestamp() from orderlatch_data.live_grants as g"
    assert held_up.ground.value(left) is True
    held_up.ground.rows("select pg_sleep(1)")
    assert held_up.ground.value(left) is False
    held_up.ground.rows(LET_GO, 2)
    assert claiming.result(timeout=20) == []
    assert held_up.status(decision_hash) == "approved"
