"""Waits end, and isolation levels whose snapshot is older than the lock are refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from tests.races.scene import Scene

EVIDENCE = '{"seen": "the blotter"}'
A_DECISION = "test.a_decision() || jsonb_build_object('rationale', %s::text)"
AN_IDENTITY = "jsonb_build_object('broker_account_id', %s::text)"
# Each takes the hash of the one decision, if only as a text.
MOVES_STATE = {
    "propose_decision": f"select orderlatch.propose_decision('paper', {A_DECISION})",
    "propose_decisions": f"select orderlatch.propose_decisions('paper', jsonb_build_array({A_DECISION}))",
    "ensure_decision": f"select orderlatch.ensure_decision('paper', {A_DECISION})",
    "evaluate_decision": "select orderlatch.evaluate_decision(%s)",
    "approve_decision": f"select orderlatch.approve_decision(%s, '{EVIDENCE}')",
    "reject_decision": f"select orderlatch.reject_decision(%s, '{EVIDENCE}')",
    "withdraw_decision": "select orderlatch.withdraw_decision(%s, 'changed its mind')",
    "resolve_in_doubt": f"select orderlatch.resolve_in_doubt(%s, 'absent', '{EVIDENCE}')",
    "claim_requests": "select orderlatch.claim_requests(1, '{paper}', length(%s))",
    "record_responses": "select test.record(test.answer_maybe(test.holder(%s)))",
    "set_limit": "select orderlatch.set_limit('order_quantity', length(%s), 'paper')",
    "update_account": f"select orderlatch.update_account('paper', {AN_IDENTITY})",
}


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_snapshot_older_than_the_lock_is_refused(scene: Scene, level: IsolationLevel) -> None:
    decision_hash = scene.given("submitting")
    before = scene.rows_everywhere()
    session = scene.transaction()
    session.connection.isolation_level = level
    refusals = {}
    for function, query in MOVES_STATE.items():
        with pytest.raises(psycopg.Error) as refused:
            session.rows(query, decision_hash)
        session.rollback()
        refusals[function] = refused.value.sqlstate
    assert refusals == dict.fromkeys(MOVES_STATE, "OL132")
    assert scene.rows_everywhere() == before


def test_a_snapshot_that_is_older_would_have_missed_what_the_lock_waited_for(scene: Scene) -> None:
    """Why: a claim that could run in this transaction would grant what was withdrawn before it."""
    decision_hash = scene.given("approved")
    old = scene.transaction()
    old.connection.isolation_level = IsolationLevel.REPEATABLE_READ
    assert old.text("select test.status(%s)", decision_hash) == "approved"
    scene.ground.rows(MOVES_STATE["withdraw_decision"], decision_hash)
    assert old.text("select test.status(%s)", decision_hash) == "approved"
    with pytest.raises(psycopg.Error) as refused:
        scene.claim(old)
    assert refused.value.sqlstate == "OL132"


def test_no_wait_for_a_lock_is_longer_than_five_seconds(scene: Scene) -> None:
    """Takes those five seconds, once for all."""
    decision_hash, other = scene.given("submitting"), scene.given("planned")
    request_id = scene.holder(decision_hash)
    scene.transaction().hold_account("judging").hold_account("answering").hold_decision(decision_hash)
    elsewhere = Jsonb(scene.ground.value("select test.a_decision() from test.given_account('other')"))
    delivered = "select e.decision_hash from orderlatch.ensure_decision('other', %s) as e"
    scene.transaction().hold_decision(scene.ground.text(delivered, elsewhere))
    batch = "select orderlatch.propose_decisions('paper', %s)"
    began = time.monotonic()
    waiting = {
        "propose": (scene.blocked(batch, Jsonb([])), "OL201"),
        "ensure again": (scene.blocked(delivered, elsewhere), "OL202"),
        "evaluate": (scene.blocked(MOVES_STATE["evaluate_decision"], other), "OL201"),
        "a failure": (scene.blocked("select test.record(test.answer_maybe(%s))", request_id), "OL201"),
        "a success": (scene.blocked("select test.record(test.answer_order(%s))", request_id), "OL202"),
        "withdraw": (scene.blocked(MOVES_STATE["withdraw_decision"], decision_hash), "OL202"),
    }
    ended = {
        name: getattr(rival.exception(timeout=20), "sqlstate", None) for name, (rival, _) in waiting.items()
    }
    assert ended == {name: code for name, (_, code) in waiting.items()}
    assert 4 < time.monotonic() - began < 10
    assert scene.status(decision_hash) == "submitting"


def test_a_wait_that_was_cut_short_leaves_no_lock_behind(scene: Scene) -> None:
    first, second = sorted((scene.given("submitting") for _ in range(2)), key=scene.lock_key)
    holder = scene.transaction().hold_decision(second)
    answers = [scene.ground.value("select test.answer_order(%s)", scene.holder(h)) for h in (first, second)]
    impatient = scene.transaction()
    impatient.rows("select set_config('statement_timeout', '200ms', true)")
    with pytest.raises(psycopg.errors.QueryCanceled):
        impatient.rows("select orderlatch.record_responses(%s)", Jsonb(answers))
    impatient.rollback()
    assert scene.hasty().text("select test.record(%s)", Jsonb(answers[0])) == "order_exists"
    holder.rollback()
    assert scene.hasty().text("select test.record(%s)", Jsonb(answers[1])) == "order_exists"


def test_an_operator_who_is_closing_an_incident_keeps_no_answer_waiting(scene: Scene) -> None:
    first = scene.given("submitting", '{"symbol": "AAPL"}')
    second = scene.given("submitting", '{"symbol": "MSFT"}')
    unauthorized = "select test.record(test.answer_error(%s, 401, 40110000, 'request is not authorized'))"
    scene.session().rows(unauthorized, scene.holder(first))
    operator = scene.transaction()
    operator.rows(
        "select orderlatch.close_incident(i.incident_id, 'key renewed') from orderlatch.open_incidents as i"
    )
    hasty = scene.hasty()
    assert hasty.rows(unauthorized, scene.holder(second)) == [("unauthorized",)]
    operator.commit()
    still_open = "select i.incident from orderlatch.open_incidents as i"
    assert scene.session().rows(still_open) == [("unauthorized",)], (
        "what happened meanwhile is not closed with it"
    )
