"""Gates that are shut: once halt has returned no new submit is granted in its scope."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.races.scene import PATIENCE_S
from tests.support.sessions import in_background, wait_until_blocked

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from tests.races.scene import Scene, Session
    from tests.support.sessions import Clock

HALT = """
select h.what, h.decision_hash, h.sent_by, h.detail
  from orderlatch.halt('enough', %s, %s, %s) as h
"""
SCOPES = {
    "everything": (None, None, None),
    "account": ("paper", None, None),
    "strategy": (None, "momentum", None),
    "symbol": (None, None, "GOOG"),
    "account and strategy": ("paper", "momentum", None),
    "account and symbol": ("paper", None, "goog"),
    "strategy and symbol": (None, "momentum", "GOOG"),
    "all three": ("paper", "momentum", "GOOG"),
}
STANDING = "select count(*) from orderlatch.standing_halts as h"
CLAIM_ALL = (
    "select c.kind, c.account from orderlatch.claim_requests(%s, null, 100) as c where c.kind is not null"
)
PROPOSE = "select test.given_approved_decision(%s, %s::jsonb)"
GOOG = '{"symbol": "GOOG"}'


def another_worker(scene: Scene, *accounts: str) -> int:
    """A second verified life of a worker."""
    return scene.ground.number("select test.given_worker(variadic %s)", list(accounts))


def granted(session: Session, worker: int) -> list[tuple[object, ...]]:
    """What a worker is granted over all its accounts, as (kind, account)."""
    return session.rows(CLAIM_ALL, worker)


def listed(rows: list[tuple[object, ...]], what: str) -> list[object]:
    """The decisions that a halt lists under a heading."""
    return [decision_hash for heading, decision_hash, _, _ in rows if heading == what]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("committed", [True, False])
def test_a_halt_waits_for_the_claim_that_is_inside_and_lists_what_it_granted(
    scene: Scene, clock: Clock, scope: str, committed: bool
) -> None:
    decision_hash = scene.ground.text(PROPOSE, "paper", GOOG)
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    halting = scene.blocked(HALT, *SCOPES[scope])
    if committed:
        claiming.commit()
    else:
        claiming.rollback()
    rows = halting.result(timeout=PATIENCE_S)
    assert listed(rows, "in flight") == ([decision_hash] if committed else [])
    assert listed(rows, "in the way") == []
    if committed:
        in_flight = rows[1]
        assert in_flight[2] == later(clock, seconds=15), "5 seconds to begin and 10 to end"
    scene.ground.rows(PROPOSE, "paper", GOOG)
    clock.advance(seconds=1)
    assert scene.claim(scene.hasty()) == []


def later(clock: Clock, **by: float) -> datetime:
    """A moment from now on the held clock."""
    then = clock.advance(**by)
    clock.advance(**{unit: -amount for unit, amount in by.items()})
    return then


@pytest.mark.parametrize("scope", SCOPES)
def test_a_claim_frozen_between_its_look_at_halts_and_its_commit_is_waited_for(
    scene: Scene, scope: str
) -> None:
    decision_hash = scene.ground.text(PROPOSE, "paper", GOOG)
    scene.ground.rows("select test.given_account('other')")
    other = another_worker(scene, "other")
    scene.ground.rows(PROPOSE, "other", GOOG)
    # the intent is written after halts were read and the decision was moved
    keeper = scene.transaction()
    keeper.connection.execute("lock table orderlatch_data.broker_requests in share mode")
    session = scene.session()
    claiming = in_background(lambda: scene.claim(session))
    wait_until_blocked(scene.database, session.connection)
    halting = scene.blocked(HALT, *SCOPES[scope])
    if SCOPES[scope][0] is None:
        assert granted(scene.hasty(), other) == [], "no further claim is let in while the halt waits"
    keeper.rollback()
    assert claiming.result(timeout=PATIENCE_S) == ["submit_order"]
    assert listed(halting.result(timeout=PATIENCE_S), "in flight") == [decision_hash]


def test_an_accounts_halt_lets_others_go_on(scene: Scene) -> None:
    scene.ground.rows("select test.given_account('other')")
    other = another_worker(scene, "other")
    scene.given("approved")
    scene.ground.rows(PROPOSE, "other", GOOG)
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    halting = scene.blocked(HALT, "paper", None, None)
    assert granted(scene.hasty(), other) == [("submit_order", "other")]
    claiming.commit()
    assert len(listed(halting.result(timeout=PATIENCE_S), "in flight")) == 1, "and only its own are listed"


def test_lookups_and_cancels_go_on_while_a_halt_is_being_set(scene: Scene, clock: Clock) -> None:
    submitted = scene.given("submitted")
    scene.given("in_doubt")
    scene.ground.rows("select orderlatch.withdraw_decision(%s, 'enough', true)", submitted)
    scene.given("approved")
    halting = scene.transaction()
    halting.rows(HALT, None, None, None)
    assert scene.claim(scene.hasty()) == ["cancel_order", "find_order"]
    halting.rollback()
    clock.advance(seconds=1)
    assert scene.claim(scene.hasty()) == ["submit_order"], "a halt that was taken back never was"


def test_a_halt_that_cannot_be_waited_for_stands_and_names_who_is_in_the_way(
    scene: Scene, clock: Clock
) -> None:
    """Takes its five seconds."""
    scene.ground.rows("select test.given_account('other')")
    other = another_worker(scene, "other")
    decision_hash = scene.given("approved")
    scene.ground.rows(PROPOSE, "other", GOOG)
    stuck = scene.transaction()
    assert scene.claim(stuck) == ["submit_order"]
    halting = scene.transaction()
    began = time.monotonic()
    rows = halting.rows(HALT, None, None, None)
    assert 3.5 < time.monotonic() - began < 10
    assert listed(rows, "in flight") == []
    assert [what for what, *_ in rows] == ["halted", "in the way"]
    pid = stuck.connection.info.backend_pid
    assert f"session {pid} of login postgres" in str(rows[1][3])
    assert f"pg_terminate_backend({pid})" in str(rows[1][3])
    assert granted(scene.hasty(), other) == [], "between the wait and the commit nobody else is let in"
    halting.commit()
    clock.advance(seconds=1)
    assert granted(scene.hasty(), other) == []
    stuck.commit()
    progress = "select p.what, p.decision_hash from orderlatch.halt_progress(%s) as p"
    halt_id = scene.ground.value("select max(h.halt_id) from orderlatch.halts as h")
    assert scene.ground.rows(progress, halt_id) == [("in flight", decision_hash)]


def test_the_session_in_the_way_can_be_ended_and_grants_nothing(scene: Scene) -> None:
    decision_hash = scene.given("approved")
    stuck = scene.transaction()
    assert scene.claim(stuck) == ["submit_order"]
    halting = scene.blocked(HALT, "paper", None, None)
    scene.ground.rows("select pg_terminate_backend(%s)", stuck.connection.info.backend_pid)
    assert [what for what, *_ in halting.result(timeout=PATIENCE_S)] == ["halted"]
    stuck.connection.close()
    assert scene.status(decision_hash) == "approved"
    assert scene.claim(scene.hasty()) == []


def test_two_halts_of_one_scope_both_stand(scene: Scene) -> None:
    """The second waits a second for the first, whose transaction stays open."""
    first = scene.transaction()
    first.rows(HALT, "paper", None, None)
    rows = scene.session().rows(HALT, "paper", None, None)
    assert f"session {first.connection.info.backend_pid} of login" in str(rows[1][3])
    first.commit()
    assert scene.ground.number(STANDING) == 2


def test_halts_that_wait_for_each_other_both_stand(scene: Scene) -> None:
    scene.ground.rows("select test.given_account('other')")
    first, second = scene.transaction(), scene.transaction()
    first.rows(HALT, "paper", None, None)
    second.rows(HALT, "other", None, None)
    crossing: Future[list[tuple[object, ...]]] = in_background(lambda: first.rows(HALT, "other", None, None))
    wait_until_blocked(scene.database, first.connection)
    rows = second.rows(HALT, "paper", None, None)
    assert rows[0][0] == "halted"
    second.commit()
    assert crossing.result(timeout=PATIENCE_S)[0][0] == "halted"
    first.commit()
    assert scene.ground.number(STANDING) == 4


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_halt_stands_at_any_level_and_says_when_it_cannot_see_what_is_in_flight(
    scene: Scene, level: IsolationLevel
) -> None:
    old = scene.transaction()
    old.connection.isolation_level = level
    old.number(STANDING)
    scene.given("approved")
    assert scene.claim(scene.session()) == ["submit_order"]
    rows = old.rows(HALT, None, None, None)
    assert [what for what, *_ in rows] == ["halted", "not listed"]
    old.commit()
    scene.given("approved")
    assert scene.claim(scene.hasty()) == []


def test_a_halt_of_the_core_binds_from_its_commit_and_waits_for_nobody(scene: Scene) -> None:
    scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    core = scene.hasty()
    core.connection.autocommit = False
    core.rows("select orderlatch_data.halt_account(test.account_id(), 'order_mismatch')")
    claiming.commit()
    scene.given("approved")
    again = scene.transaction()
    assert scene.claim(again) == ["submit_order"], "nobody has been told of it yet"
    again.commit()
    core.commit()
    scene.given("approved")
    assert scene.claim(scene.hasty()) == []


def test_a_halt_of_the_core_does_not_rest_on_one_that_is_being_lifted(scene: Scene) -> None:
    """Whoever lifts it has not seen what the core halts for now."""
    core = "select orderlatch_data.halt_account(test.account_id(), 'duplicate_order')"
    scene.ground.rows(core)
    scene.given("approved")
    operator = scene.transaction()
    operator.rows("select orderlatch.lift_halt(max(h.halt_id), 'was nothing') from orderlatch.halts as h")
    scene.hasty().rows(core)
    operator.commit()
    assert scene.ground.number(STANDING) == 1
    assert scene.claim(scene.hasty()) == []
    scene.hasty().rows(core)
    assert scene.ground.number(STANDING) == 1, "one that stands is enough"


def test_revoking_a_live_grant_waits_for_claims_as_a_halt_does(scene: Scene, clock: Clock) -> None:
    scene.ground.rows("select test.given_account('live', p_environment => 'live')")
    worker = another_worker(scene, "live")
    scene.ground.rows("select orderlatch.grant_live('live', '1 hour', 'tests')")
    decision_hash = scene.ground.text(PROPOSE, "live", GOOG)
    claiming = scene.transaction()
    assert granted(claiming, worker) == [("submit_order", "live")]
    revoke = "select r.what, r.decision_hash, r.sent_by, r.detail from orderlatch.revoke_live('live') as r"
    revoking = scene.blocked(revoke)
    claiming.commit()
    rows = revoking.result(timeout=PATIENCE_S)
    assert [what for what, *_ in rows] == ["revoked", "in flight"]
    assert listed(rows, "in flight") == [decision_hash]
    scene.ground.rows(PROPOSE, "live", '{"symbol": "KO"}')
    clock.advance(seconds=1)
    assert granted(scene.hasty(), worker) == []


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_grant_is_not_revoked_by_whoever_cannot_see_it(scene: Scene, level: IsolationLevel) -> None:
    scene.ground.rows("select test.given_account('live', p_environment => 'live')")
    old = scene.transaction()
    old.connection.isolation_level = level
    old.number(STANDING)
    scene.ground.rows("select orderlatch.grant_live('live', '1 hour', 'tests')")
    with pytest.raises(psycopg.Error) as refused:
        old.rows("select r.what from orderlatch.revoke_live('live') as r")
    assert refused.value.sqlstate == "OL132"
