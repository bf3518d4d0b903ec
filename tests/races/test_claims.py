"""Claims only ever try: they wait for nobody, and nobody is granted a call twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene
    from tests.support.sessions import Clock

WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
APPROVE = "select a.status from orderlatch.approve_decision(%s, '{\"score\": 1}') as a"
REJECT = "select r.status from orderlatch.reject_decision(%s, '{\"score\": 0}') as r"
HALT = "select h.what from orderlatch.halt('enough', 'paper') as h"
LOCKED = """
select count(*) from pg_locks as l
where l.locktype = 'advisory' and l.classid::integer = orderlatch_data.lock_class('decision')
  and l.pid = pg_backend_pid()
"""


def external(scene: Scene) -> str:
    """An approved decision of an account that an outside engine judges."""
    scene.ground.rows("select orderlatch.update_account('paper', '{\"risk_engine\": \"external\"}')")
    decision_hash = scene.given("planned")
    assert scene.ground.rows(APPROVE, decision_hash) == [("approved",)]
    return decision_hash


@pytest.mark.parametrize("committed", [True, False])
def test_a_second_claim_of_an_account_gets_nothing_but_a_time(scene: Scene, committed: bool) -> None:
    scene.given("approved")
    first = scene.transaction()
    assert scene.claim(first) == ["submit_order"]
    assert scene.ask_again_ms(scene.hasty()) == 20
    if committed:
        first.commit()
    else:
        first.rollback()
    assert scene.claim(scene.hasty()) == ([] if committed else ["submit_order"])


def test_accounts_are_claimed_side_by_side(scene: Scene) -> None:
    scene.ground.rows("select test.given_account('other')")
    both = scene.ground.number("select test.given_worker('paper', 'other')")
    scene.ground.rows("select test.given_approved_decision(a) from unnest(array['paper', 'other']) as a")
    first = scene.transaction()
    assert scene.claim(first) == ["submit_order"]
    claim = "select c.account, c.ask_again_ms from orderlatch.claim_requests(%s, '{paper,other}', 9) as c"
    assert scene.hasty().rows(claim, both) == [("other", None), (None, 20)]


@pytest.mark.parametrize("status", ["approved", "submitting"])
def test_a_claim_leaves_a_held_decision_alone_and_says_when_to_come_back(
    scene: Scene, clock: Clock, status: str
) -> None:
    decision_hash = scene.given(status)
    if status == "submitting":
        clock.advance(minutes=1)  # nobody has answered in time
    holder = scene.transaction().hold_decision(decision_hash)
    assert scene.ask_again_ms(scene.hasty()) == 20
    assert scene.status(decision_hash) == status
    holder.rollback()
    clock.advance(milliseconds=20)
    assert scene.claim(scene.hasty()) == ["submit_order" if status == "approved" else "find_order"]


def test_a_lookup_of_a_held_decision_is_left_for_the_next_claim(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    holder = scene.transaction().hold_decision(decision_hash)
    assert scene.ask_again_ms(scene.hasty()) == 20
    holder.rollback()
    clock.advance(milliseconds=20)
    assert scene.claim(scene.hasty()) == ["find_order"]


def test_an_idle_claim_is_not_hurried(scene: Scene) -> None:
    decision_hash = scene.given("approved")
    scene.ground.rows(HALT)
    assert scene.ask_again_ms(scene.hasty()) == 60_000
    assert scene.status(decision_hash) == "approved"


def test_a_claim_holds_no_decision_but_those_it_is_granted(scene: Scene) -> None:
    submitting = [scene.given("submitting") for _ in range(3)]
    for decision_hash in submitting:
        scene.ground.rows("select test.record(test.answer_maybe(%s))", scene.holder(decision_hash))
    for _ in range(30):
        scene.given("approved")
    # as in production, where the planner knows the tables and may join them in any order
    scene.ground.connection.execute("analyze")
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["find_order"] * 3
    assert claiming.number(LOCKED) == 3


@pytest.mark.parametrize("committed", [True, False])
def test_a_decision_that_is_being_withdrawn_is_not_granted(scene: Scene, committed: bool) -> None:
    decision_hash = scene.given("approved")
    withdrawing = scene.transaction()
    assert withdrawing.rows(WITHDRAW, decision_hash) == [("withdrawn",)]
    assert scene.claim(scene.hasty()) == []
    if committed:
        withdrawing.commit()
    else:
        withdrawing.rollback()
    assert scene.claim(scene.hasty()) == ([] if committed else ["submit_order"])


@pytest.mark.parametrize("committed", [True, False])
def test_a_withdrawal_during_a_claim_becomes_a_wish_if_the_claim_commits(
    scene: Scene, committed: bool
) -> None:
    decision_hash = scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    rival = scene.blocked(WITHDRAW, decision_hash)
    if committed:
        claiming.commit()
        assert only(rival) == ("wish_noted",)
        not_sent = "select test.record(test.answer_not_sent(%s))"
        assert scene.ground.text(not_sent, scene.holder(decision_hash)) == "not_sent"
    else:
        claiming.rollback()
        assert only(rival) == ("withdrawn",)
    assert scene.status(decision_hash) == "withdrawn"


def test_a_decision_lapsing_in_a_claim_cannot_be_withdrawn_any_more(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("approved")
    clock.advance(minutes=15)
    claiming = scene.transaction()
    assert scene.claim(claiming) == []
    rival = scene.blocked(WITHDRAW, decision_hash)
    claiming.commit()
    assert only(rival) == ("too_late",)
    assert scene.moves(decision_hash)[-1] == "approved>lapsed"


def test_a_decision_being_withdrawn_does_not_lapse(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("approved")
    clock.advance(minutes=15)
    withdrawing = scene.transaction()
    withdrawing.rows(WITHDRAW, decision_hash)
    assert scene.claim(scene.hasty()) == []
    withdrawing.commit()
    assert scene.claim(scene.hasty()) == []
    assert scene.moves(decision_hash)[-1] == "approved>withdrawn"


def test_an_engine_that_says_no_during_a_claim_is_too_late(scene: Scene) -> None:
    decision_hash = external(scene)
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    rival = scene.blocked(REJECT, decision_hash)
    claiming.commit()
    assert getattr(rival.exception(timeout=10), "sqlstate", None) == "OL203"
    assert scene.status(decision_hash) == "submitting"


def test_a_decision_that_an_engine_is_rejecting_is_not_granted(scene: Scene) -> None:
    decision_hash = external(scene)
    rejecting = scene.transaction()
    assert rejecting.rows(REJECT, decision_hash) == [("rejected",)]
    assert scene.claim(scene.hasty()) == []
    rejecting.commit()
    assert scene.claim(scene.hasty()) == []
    assert scene.moves(decision_hash)[-1] == "approved>rejected"


def test_one_submit_of_a_symbol_is_out_at_a_time(scene: Scene) -> None:
    first, second = (scene.given("approved", '{"symbol": "GOOG"}') for _ in range(2))
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    claiming.commit()
    recording = scene.transaction()
    recording.rows("select test.record(test.answer_order(%s))", scene.holder(first))
    assert scene.claim(scene.hasty()) == []  # the first is out until its answer is committed
    recording.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]
    assert scene.status(second) == "submitting"


def test_a_claim_after_a_backlog_went_stale_takes_a_bounded_number_of_locks(
    scene: Scene, clock: Clock
) -> None:
    batch = """
        select count(*) from orderlatch.propose_decisions(
          'paper', (select jsonb_agg(test.a_decision()) from generate_series(1, %s))
        )"""
    assert scene.ground.number(batch, 250) == 250
    clock.advance(minutes=15)
    claiming = scene.transaction()
    assert scene.ask_again_ms(claiming) == 20
    assert claiming.number(LOCKED) <= 101  # a hundred that are stale, and the first in turn for a submit
    claiming.commit()
    clock.advance(milliseconds=20)
    assert scene.ask_again_ms(scene.hasty()) == 20
    clock.advance(milliseconds=20)
    scene.claim(scene.hasty())
    assert scene.ground.number("select count(*) from orderlatch_data.open_decisions") == 0


def test_a_claim_waits_for_no_lock_of_judging_or_answering(scene: Scene) -> None:
    scene.given("approved")
    scene.transaction().hold_account("judging").hold_account("answering")
    assert scene.claim(scene.hasty()) == ["submit_order"]


def test_a_hasty_session_fails_where_it_would_have_to_wait(scene: Scene) -> None:
    decision_hash = scene.given("approved")
    scene.transaction().hold_decision(decision_hash)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        scene.hasty().hold_decision(decision_hash)
