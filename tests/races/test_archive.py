"""Archiving waits for nobody, and nobody for it but a late answer to a call that is being moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene, Session
    from tests.support.sessions import Clock

ARCHIVE = """
select a.archived
  from orderlatch.archive_before(orderlatch_data.clock() - interval '10 days', 'old', null, %s) as a
"""
ARCHIVED = "select count(*) from orderlatch_data.archived_calls as c where c.request_id = %s"
RECORD = "select test.record(test.answer_order(%s))"
FAILED = "select test.record(test.answer_error(%s, 500, 50010000, 'internal server error'))"
FILLED = '{"status": "filled", "filled_qty": "10", "filled_avg_price": "1.5"}'
ANSWER = f"select test.answer_order(%s, '{FILLED}')"
FOUND = f"select test.record(test.answer_order(%s, '{FILLED}'))"
TOLD = "select test.record(%s)"
AGAIN = """
select p.outcome || ' ' || p.status from orderlatch.propose_decision('paper', (
  select t.intent::jsonb - 'v' - 'account' from orderlatch_data.trade_decisions as t
   where t.decision_id = test.decision_id(%s))) as p
"""


def archive(session: Session, calls: int = 1000) -> int:
    return session.number(ARCHIVE, calls)


def ended(scene: Scene) -> str:
    """A decision whose order has come and gone."""
    decision_hash = scene.given("submitting")
    scene.ground.rows(FOUND, scene.holder(decision_hash))
    return decision_hash


def lost(scene: Scene, clock: Clock) -> object:
    """The submit of a decision that was given up and never answered; its order was found, and has ended."""
    decision_hash = scene.given("submitting")
    request_id = scene.holder(decision_hash)
    clock.advance(seconds=60)
    assert scene.claim(scene.ground) == ["find_order"]
    lookup = scene.ground.value("select o.lookup_request_id from test.open_row(%s) as o", decision_hash)
    scene.ground.rows(FOUND, lookup)
    return request_id


@pytest.mark.every_major
def test_claims_records_and_proposals_do_not_wait_for_a_step_that_stays_open(
    scene: Scene, clock: Clock
) -> None:
    old = ended(scene)
    old_request = scene.holder(old)
    answer = scene.ground.value(ANSWER, old_request)
    clock.advance(seconds=30 * 86400)
    on_its_way = scene.given("submitting")
    archiving, hasty = scene.transaction(), scene.hasty()
    assert archive(archiving) == 2  # the account check and the submit
    hasty.rows("select test.given_approved_decision('paper', '{\"symbol\": \"NEW\"}')")
    assert scene.claim(hasty) == ["submit_order"]
    assert hasty.value(RECORD, scene.holder(on_its_way)) == "order_exists"
    assert hasty.value(TOLD, Jsonb(answer)) == "order_exists"
    assert hasty.value(AGAIN, old) == "existing submitted"
    archiving.commit()
    assert hasty.value(TOLD, Jsonb(answer)) == "order_exists"
    assert hasty.value(AGAIN, old) == "existing submitted"
    assert scene.ground.value(ARCHIVED, old_request) == 1
    assert scene.claim(hasty) == []


def test_two_who_archive_share_the_work(scene: Scene, clock: Clock) -> None:
    requests = [scene.holder(ended(scene)) for _ in range(3)]
    clock.advance(seconds=30 * 86400)
    one, other = scene.transaction(), scene.hasty()
    assert archive(one, 2) == 2
    assert archive(other, 2) == 0  # the oldest are being moved: they are skipped
    assert archive(other, 10) == 2
    one.commit()
    assert archive(other) == 0
    assert all(scene.ground.value(ARCHIVED, request) == 1 for request in requests)


@pytest.mark.every_major
def test_a_late_answer_to_a_call_that_is_being_archived_is_a_fact_once_it_is(
    scene: Scene, clock: Clock
) -> None:
    late, failed = lost(scene, clock), lost(scene, clock)
    clock.advance(seconds=30 * 86400)
    archiving = scene.transaction()
    assert archive(archiving) == 5
    fact, failure = scene.blocked(FOUND, late), scene.blocked(FAILED, failed)
    archiving.commit()
    assert only(fact) == ("order_exists",)
    assert only(failure) == ("stale",)


def test_a_call_stays_whose_late_answer_is_being_recorded(scene: Scene, clock: Clock) -> None:
    request_id = lost(scene, clock)
    clock.advance(seconds=30 * 86400)
    recording, archiving = scene.transaction(), scene.hasty()
    assert recording.value(FOUND, request_id) == "order_exists"
    assert archive(archiving) == 2  # the account check and the lookup
    recording.commit()
    assert scene.ground.value(ARCHIVED, request_id) == 0
    assert archive(archiving) == 0  # it was answered just now
    clock.advance(seconds=30 * 86400)
    assert archive(archiving) == 1
