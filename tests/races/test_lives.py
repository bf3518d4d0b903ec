"""A worker lives as long as its listening connection; what it was granted outlives it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.sessions import in_background, wait_until_blocked

if TYPE_CHECKING:
    from tests.races.scene import Scene, Session
    from tests.support.sessions import Clock

FOUND = "select test.record(test.answer_order(%s))"
CAUSES = "select l.cause from orderlatch_data.lost_requests as l"
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r order by r.answer_no"
IDENTIFY = "select test.record(test.answer_account(%s, 'paper-id'))"
GIVE_TO_ANOTHER = """
select orderlatch.update_account('paper', '{"broker_account_id": "another-id"}')
"""
VERIFIED = "select count(*) from orderlatch_data.worker_accounts as c where c.verified_at is not null"
ASKED = "select r.request_id from orderlatch_data.open_requests as r where r.worker_id = %s"
EVERYONE = """
select count(pg_terminate_backend(a.pid, 10000)) from pg_stat_activity as a
where a.datname = current_database() and a.pid <> all (%s)
"""


def born(scene: Scene) -> tuple[Session, int]:
    """A second life of the worker, verified, and its listening connection."""
    listening = scene.session()
    return listening, listening.number("select test.given_worker()")


def kill(scene: Scene, session: Session) -> None:
    pid = session.connection.info.backend_pid
    assert scene.ground.value("select pg_terminate_backend(%s, 10000)", pid) is True


def granted(scene: Scene, worker: int) -> str:
    """A decision whose submit is granted to a worker."""
    decision_hash = scene.given("approved")
    assert scene.claim(scene.session(), worker) == ["submit_order"]
    return decision_hash


def after_start(scene: Scene, clock: Clock, seconds: float) -> None:
    """Set the clock to a time after the start of the server."""
    started = scene.ground.value("select pg_postmaster_start_time()")
    assert isinstance(started, datetime)
    clock.set(started + timedelta(seconds=seconds))


def test_a_life_whose_connection_was_killed_is_granted_nothing(scene: Scene) -> None:
    listening, worker = born(scene)
    scene.given("approved")
    kill(scene, listening)
    with pytest.raises(psycopg.Error) as refused:
        scene.claim(scene.session(), worker)
    assert refused.value.sqlstate == "OL101"
    assert scene.claim(scene.session()) == ["submit_order"]  # another life goes on


def test_what_a_killed_life_was_granted_is_lost_at_once(scene: Scene, clock: Clock) -> None:
    after_start(scene, clock, 60)
    listening, worker = born(scene)
    decision_hash = granted(scene, worker)
    assert scene.claim(scene.session()) == []
    kill(scene, listening)
    assert scene.claim(scene.session()) == ["find_order"]
    assert scene.status(decision_hash) == "in_doubt"
    assert scene.ground.rows(CAUSES) == [("worker_gone",)]


def test_just_after_the_server_started_nobody_is_taken_for_dead(scene: Scene, clock: Clock) -> None:
    after_start(scene, clock, 1)
    listening, worker = born(scene)
    decision_hash = granted(scene, worker)
    kill(scene, listening)
    after_start(scene, clock, 9.9)
    assert scene.claim(scene.session()) == []
    assert scene.status(decision_hash) == "submitting"
    after_start(scene, clock, 10)
    assert scene.claim(scene.session()) == ["find_order"]


@pytest.mark.parametrize("given_up", [True, False])
def test_the_answer_of_a_killed_life_is_still_recorded(scene: Scene, clock: Clock, given_up: bool) -> None:
    after_start(scene, clock, 60)
    listening, worker = born(scene)
    decision_hash = granted(scene, worker)
    kill(scene, listening)
    if given_up:
        assert scene.claim(scene.session()) == ["find_order"]
    assert scene.session().text(FOUND, scene.holder(decision_hash)) == "order_exists"
    assert scene.status(decision_hash) == "submitted"


def test_a_life_that_ends_after_its_claim_was_checked_loses_the_grant(scene: Scene, clock: Clock) -> None:
    after_start(scene, clock, 60)
    listening, worker = born(scene)
    decision_hash = scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming, worker) == ["submit_order"]
    kill(scene, listening)
    claiming.commit()
    assert scene.claim(scene.session()) == ["find_order"]
    assert scene.status(decision_hash) == "in_doubt"


def test_a_life_is_not_taken_for_dead_by_two_who_look_at_once(scene: Scene, clock: Clock) -> None:
    after_start(scene, clock, 60)
    _, worker = born(scene)
    granted(scene, worker)
    # another session's look at a lock must not look like somebody holding it, nor like nobody
    looking = scene.transaction()
    assert looking.value("select orderlatch_data.worker_is_gone(%s)", worker) is False
    assert scene.session().value("select orderlatch_data.worker_is_gone(%s)", worker) is False
    assert looking.value("select orderlatch_data.worker_is_gone(%s)", 4711) is True
    assert scene.session().value("select orderlatch_data.worker_is_gone(%s)", 4711) is True
    assert scene.claim(scene.session()) == []


def test_the_listening_connection_itself_may_claim(scene: Scene) -> None:
    scene.given("approved")
    assert scene.claim(scene.ground) == ["submit_order"]


def test_all_connections_dropped_while_answers_are_recorded_leave_nothing_half_done(
    scene: Scene, clock: Clock
) -> None:
    after_start(scene, clock, 60)
    scene.ground.rows("select orderlatch.update_account('paper', '{\"max_in_doubt\": 100}')")
    hashes = sorted((scene.given("submitting") for _ in range(9)), key=scene.lock_key)
    found = "select test.answer_order(%s)"
    answers = [scene.ground.value(found, scene.holder(decision_hash)) for decision_hash in hashes]
    before = scene.rows_everywhere()

    recording = scene.transaction()  # has recorded, and is about to commit
    assert recording.rows(RECORD, Jsonb(answers[:3])) == [("order_exists",)] * 3
    holder = scene.transaction().hold_decision(hashes[7])
    waiting = scene.session()  # is half-way through its locks
    half_way = in_background(lambda: waiting.rows(RECORD, Jsonb(answers[3:])))
    wait_until_blocked(scene.database, waiting.connection)

    with scene.database.connect() as watcher:
        # the holder goes last: its end would let the waiting one go on
        spared = [session.info.backend_pid for session in (watcher, holder.connection)]
        (dropped,) = watcher.execute(EVERYONE.encode(), [spared]).fetchall()
    assert dropped[0] >= 3
    with pytest.raises(psycopg.OperationalError):
        half_way.result(timeout=10)
    with pytest.raises(psycopg.OperationalError):
        recording.commit()
    holder.connection.close()

    revived = scene.revive()
    assert revived.rows_everywhere() == before
    assert {revived.status(decision_hash) for decision_hash in hashes} == {"submitting"}
    assert revived.ground.rows(RECORD, Jsonb(answers)) == [("order_exists",)] * 9
    assert {revived.status(decision_hash) for decision_hash in hashes} == {"submitted"}
    assert revived.violations() == {}


@pytest.mark.parametrize("committed", [True, False])
def test_no_life_is_verified_while_its_account_is_given_another_identity(
    scene: Scene, clock: Clock, committed: bool
) -> None:
    """The answer names the account as it was; what an operator makes of it meanwhile is not to be seen."""
    stranger = scene.ground.number("select test.given_stranger()")
    assert scene.claim(scene.session(), stranger) == ["get_account"]
    operator = scene.transaction()
    operator.rows(GIVE_TO_ANOTHER)
    assert scene.hasty().text(IDENTIFY, scene.ground.value(ASKED, stranger)) == "in_doubt"
    if committed:
        operator.commit()
    else:
        operator.rollback()
    assert scene.ground.number(VERIFIED) == (0 if committed else 1)
    clock.advance(seconds=1)
    assert scene.claim(scene.hasty(), stranger) == ["get_account"]
    told = scene.hasty().text(IDENTIFY, scene.ground.value(ASKED, stranger))
    assert told == ("account_mismatch" if committed else "account_verified")


def test_an_account_becomes_no_other_while_a_claim_grants_a_submit(scene: Scene) -> None:
    """The order may be at the broker account of before, where nobody would look for it any more."""
    decision_hash = scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming, scene.worker) == ["submit_order"]
    giving = scene.blocked(GIVE_TO_ANOTHER)
    claiming.commit()
    with pytest.raises(psycopg.Error, match="submits_unsettled"):
        giving.result(timeout=10)
    assert scene.status(decision_hash) == "submitting"
    assert scene.ground.number(VERIFIED) == 1
