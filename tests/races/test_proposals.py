"""Proposing, judging and taking back, while somebody else does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene

PROPOSE = "select p.status, p.outcome from orderlatch.propose_decision('paper', %s) as p"
BATCH = "select p.outcome, p.reasons from orderlatch.propose_decisions('paper', %s) as p order by p.input_no"
HASH = "select orderlatch.decision_hash('paper', %s)"
EVALUATE = "select e.status from orderlatch.evaluate_decision(%s) as e"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
ENSURE = "select e.outcome from orderlatch.ensure_decision('paper', %s) as e"
UPDATE = "select orderlatch.update_account('paper', '{\"max_submits\": 2}')"


def a_decision(scene: Scene, **members: str) -> Jsonb:
    return Jsonb(scene.ground.value("select test.a_decision(%s)", Jsonb(members)))


@pytest.mark.parametrize("committed", [True, False])
def test_a_decision_proposed_twice_at_once_is_recorded_once(scene: Scene, committed: bool) -> None:
    decision = a_decision(scene)
    first = scene.transaction()
    assert first.rows(PROPOSE, decision) == [("approved", "created")]
    rival = scene.blocked(PROPOSE, decision)
    if committed:
        first.commit()
        assert only(rival) == ("approved", "existing")
    else:
        first.rollback()
        assert only(rival) == ("approved", "created")
    assert scene.moves(scene.ground.text(HASH, decision)) == ["none>planned", "planned>approved"]


@pytest.mark.parametrize("committed", [True, False])
def test_of_two_intents_for_one_signal_the_first_committed_lives(scene: Scene, committed: bool) -> None:
    signal = "2026-03-02T14:30:00Z"
    first = scene.transaction()
    assert first.rows(PROPOSE, a_decision(scene, event_ts=signal, qty="1")) == [("approved", "created")]
    rival = scene.blocked(PROPOSE, a_decision(scene, event_ts=signal, qty="2"))
    if committed:
        first.commit()
        assert only(rival) == ("rejected", "conflict")
    else:
        first.rollback()
        assert only(rival) == ("approved", "created")


def test_a_conflict_keeps_its_reason_when_the_live_decision_settles_meanwhile(scene: Scene) -> None:
    signal = "2026-03-02T14:30:00Z"
    live, planned = a_decision(scene, event_ts=signal, qty="1"), a_decision(scene)
    scene.ground.rows(PROPOSE, live)
    scene.ground.rows(ENSURE, planned)
    # between seeing the conflict and rejecting it, a proposal may wait for another decision of its batch
    holder = scene.transaction().hold_decision(scene.ground.text(HASH, planned))
    batch = [a_decision(scene, event_ts=signal, qty="2").obj, planned.obj]
    rival = scene.blocked(BATCH, Jsonb(batch))
    assert scene.ground.rows(WITHDRAW, scene.ground.text(HASH, live)) == [("withdrawn",)]
    holder.commit()
    assert rival.result(timeout=10) == [("conflict", ["signal_already_decided"]), ("existing", [])]


def test_accounts_are_proposed_for_side_by_side(scene: Scene) -> None:
    scene.ground.rows("select test.given_account('other')")
    scene.transaction().rows(PROPOSE, a_decision(scene))
    other = PROPOSE.replace("paper", "other")
    assert scene.hasty().rows(other, a_decision(scene)) == [("approved", "created")]


def test_a_redelivery_neither_waits_for_a_claim_nor_holds_one_up(scene: Scene) -> None:
    decision, late = a_decision(scene, symbol="AAA"), a_decision(scene, symbol="BBB")
    scene.ground.rows(PROPOSE, decision)
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    assert scene.hasty().rows(PROPOSE, decision) == [("approved", "existing")]
    claiming.commit()
    scene.ground.rows(PROPOSE, late)
    delivering = scene.transaction()
    assert delivering.rows(PROPOSE, late) == [("approved", "existing")]
    assert scene.claim(scene.hasty()) == ["submit_order"]


def test_a_claim_never_waits_for_a_proposal_and_does_not_see_it_before_its_commit(scene: Scene) -> None:
    proposing = scene.transaction()
    proposing.rows(PROPOSE, a_decision(scene))
    assert scene.claim(scene.hasty()) == []
    proposing.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]


def test_a_proposal_never_waits_for_a_claim(scene: Scene) -> None:
    scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    assert scene.hasty().rows(PROPOSE, a_decision(scene)) == [("approved", "created")]


def test_a_decision_withdrawn_while_it_waits_to_be_judged_stays_withdrawn(scene: Scene) -> None:
    decision_hash = scene.given("planned")
    withdrawing = scene.transaction()
    assert withdrawing.rows(WITHDRAW, decision_hash) == [("withdrawn",)]
    rival = scene.blocked(EVALUATE, decision_hash)
    withdrawing.commit()
    assert only(rival) == ("withdrawn",)
    assert scene.moves(decision_hash) == ["none>planned", "planned>withdrawn"]


@pytest.mark.parametrize(
    ("committed", "moves"),
    [(True, ["planned>approved", "approved>withdrawn"]), (False, ["planned>withdrawn"])],
)
def test_a_decision_judged_while_it_is_withdrawn_is_withdrawn(
    scene: Scene, committed: bool, moves: list[str]
) -> None:
    decision_hash = scene.given("planned")
    judging = scene.transaction()
    assert judging.rows(EVALUATE, decision_hash) == [("approved",)]
    rival = scene.blocked(WITHDRAW, decision_hash)
    if committed:
        judging.commit()
    else:
        judging.rollback()
    assert only(rival) == ("withdrawn",)
    assert scene.moves(decision_hash) == ["none>planned", *moves]


def test_a_decision_evaluated_twice_at_once_gets_one_verdict(scene: Scene) -> None:
    decision_hash = scene.given("planned")
    judging = scene.transaction()
    judging.rows(EVALUATE, decision_hash)
    rival = scene.blocked(EVALUATE, decision_hash)
    judging.commit()
    assert only(rival) == ("approved",)
    assert scene.ground.number("select count(*) from orderlatch_data.risk_verdicts") == 1


def test_nobody_waits_for_an_operator_who_is_changing_settings(scene: Scene) -> None:
    submitting = scene.given("submitting")
    operator = scene.transaction()
    operator.rows(UPDATE)
    hasty = scene.hasty()
    assert hasty.rows(PROPOSE, a_decision(scene, symbol="AAA")) == [("approved", "created")]
    assert scene.claim(hasty) == ["submit_order"]
    # a failure writes account-level rows, which reference the account
    assert hasty.text("select test.record(test.answer_maybe(%s))", scene.holder(submitting)) == "in_doubt"
    # a later life of the worker names itself while the account's row is being changed
    stranger = scene.ground.number("select test.given_stranger()")
    assert scene.claim(hasty, stranger) == ["get_account"]
    asked = scene.ground.value(
        "select r.request_id from orderlatch_data.open_requests as r where r.worker_id = %s", stranger
    )
    assert hasty.text("select test.record(test.answer_account(%s, 'paper-id'))", asked) == "account_verified"
    operator.commit()


def test_of_two_operators_who_change_settings_at_once_neither_is_lost(scene: Scene) -> None:
    first = scene.transaction()
    first.rows(UPDATE)
    rival = scene.blocked("select orderlatch.update_account('paper', '{\"crowd_size\": 7}')")
    first.commit()
    rival.result(timeout=10)
    settings = "select a.max_submits, a.crowd_size from orderlatch_data.accounts as a"
    assert scene.ground.rows(settings) == [(2, 7)]


def test_an_account_created_twice_at_once_exists_once(scene: Scene) -> None:
    create = "select orderlatch.create_account('new', 'paper')"
    first = scene.transaction()
    first.rows(create)
    rival = scene.blocked(create)
    first.commit()
    error = rival.exception(timeout=10)
    assert getattr(error, "sqlstate", None) == "OL133"
