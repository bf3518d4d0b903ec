"""Several workers, several accounts, wrong keys, and a broker that dies."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.chaos.sandbox import LIST, LOOKUP, SUBMIT
from tests.chaos.world import SHORT
from tests.support.servers import ROOT

if TYPE_CHECKING:
    from tests.chaos.world import World

REAL_DECISIONS = ROOT / "tests" / "fixtures" / "goog.jsonl"


def test_four_workers_carry_65_real_decisions(world: World) -> None:
    """Each on a symbol of its own, to go at once; some go wrong, and so do two of the workers."""
    world.sandbox.tell("PUT", "accounts/paper", {"cash": "100000000"})
    world.sandbox.fault("close", nth=5, count=3)
    world.sandbox.fault("answer", nth=15, count=3, body="bad_gateway", when="before")
    world.sandbox.fault("hang", nth=25, count=2)
    world.sandbox.fault("gate", nth=30, gate="killed")
    world.sandbox.fault("gate", nth=40, gate="frozen")
    workers = [world.ready_worker() for _ in range(4)]
    decisions = [json.loads(line) for line in REAL_DECISIONS.read_text().splitlines()]
    for number, decision in enumerate(decisions):
        decision["symbol"] = f"G{chr(65 + number // 26)}{chr(65 + number % 26)}"
    propose = "select p.decision_hash from orderlatch.propose_decisions('paper', %s) as p order by p.input_no"
    hashes = [str(found) for (found,) in world.rows(propose, json.dumps(decisions))]

    world.sandbox.wait_for_held("killed")
    workers[0].signal(signal.SIGKILL)
    world.sandbox.wait_for_held("frozen")
    workers[1].signal(signal.SIGSTOP)
    world.wait_for("submitted", *hashes)
    workers[1].signal(signal.SIGCONT)
    assert len(set(hashes)) == world.sandbox.summary()["orders"] == 65


@pytest.mark.thorough
def test_one_process_works_for_several_accounts(world: World) -> None:
    world.account("second", **SHORT)
    worker = world.ready_worker("paper", "second")
    world.sandbox.fault("gate", match={"method": "POST", "account": "paper"}, gate="paper")
    held = world.propose()
    world.sandbox.wait_for_held("paper")
    world.wait_for("submitted", *(world.propose(account="second") for _ in range(5)))
    assert world.status(held) == "submitting"
    world.sandbox.release("paper")
    world.wait_for("submitted", held)
    assert worker.stop() == 0


def test_swapped_keys_send_no_order(world: World) -> None:
    world.account("second", **SHORT)
    world.sandbox.tell("POST", "swap", {"one": "paper", "other": "second"})
    decisions = [world.propose(account=account) for account in ("paper", "second")]
    world.worker("paper", "second", poll_ms=100)
    world.wait_until(lambda: world.incidents() == ["account_mismatch"] * 2, what="both incidents are open")
    asked = "select b.failures::int from orderlatch_data.kind_backoffs as b where b.kind = 'get_account'"
    world.wait_until(
        lambda: min(world.rows(asked)) >= (3,), what="they were asked for again, less and less often"
    )
    assert world.sandbox.summary()["posts"] == 0
    assert {world.status(decision) for decision in decisions} == {"approved"}

    world.sandbox.tell("POST", "swap", {"one": "paper", "other": "second"})
    world.wait_until(lambda: verified(world) == 2, what="the worker is verified for both accounts")
    assert world.sandbox.summary()["posts"] == 0, "only a person lifts the halts"
    world.run(
        "select orderlatch.lift_halt(h.halt_id, 'the keys are right') from orderlatch.standing_halts as h"
    )
    world.wait_for("submitted", *decisions)


def verified(world: World) -> int:
    return world.number(
        "select count(*)::int from orderlatch_data.worker_accounts as w where w.verified_at is not null"
    )


def test_sigterm_lets_a_call_end_and_records_it(world: World) -> None:
    worker = world.ready_worker()
    world.sandbox.fault("gate", gate="answer")
    decision = world.propose()
    world.sandbox.wait_for_held("answer")
    worker.signal(signal.SIGTERM)
    worker.wait_for("worker_stopping")
    later = world.propose("KO")
    world.sandbox.release("answer")
    assert worker.process.wait(20) == 0
    assert (world.status(decision), world.status(later)) == ("submitted", "approved")
    assert world.rows("select w.released_at is not null from orderlatch_data.workers as w") == [(True,)]


def test_a_worker_of_another_schema_version_is_refused(world: World) -> None:
    """At its start, and at the next life of one that was there before the upgrade."""
    old = world.ready_worker()
    world.run(NEXT_VERSION)
    late = world.worker()
    assert late.process.wait(20) == 1
    assert "99" in late.log.read_text()

    world.sandbox.fault("gate", gate="answer")
    decision = world.propose()
    world.sandbox.wait_for_held("answer")
    world.run(END_LIVES)
    world.sandbox.release("answer")
    assert old.process.wait(20) == 1
    assert "OL306" in old.log.read_text()
    assert world.status(decision) == "submitted", "what was in hand is recorded"
    world.workers.clear()  # their last lines are for people


NEXT_VERSION = """
create or replace function orderlatch.schema_version() returns integer language sql immutable as 'select 99'
"""
END_LIVES = """
select pg_terminate_backend(l.pid) from pg_locks as l
where l.locktype = 'advisory' and l.classid = orderlatch_data.lock_class('worker')::oid and l.objsubid = 2
  and l.database = (select d.oid from pg_database as d where d.datname = current_database())
"""


def test_a_broker_that_dies_and_comes_back(world: World) -> None:
    """One order is on its disk, one was not yet, one is proposed while nobody is there."""
    world.change_account(backoff_max="500 ms")
    world.ready_worker()
    world.sandbox.fault("gate", match={"symbol": "GOOG"}, gate="wire", when="after")
    world.sandbox.fault("gate", match={"symbol": "KO"}, gate="wire", when="before")
    stored, unread = world.propose(), world.propose("KO")
    world.sandbox.wait_for_held("wire", 2)
    world.sandbox.kill()
    world.wait_for("in_doubt", stored, unread)
    late = world.propose("PEP")
    world.wait_until(lambda: world.meanings(late)[:1] == ["not_sent"], what="nobody is there")
    world.sandbox.restart()
    world.wait_for("submitted", stored, unread, late)
    assert [world.sandbox.posts_of(decision) for decision in (stored, unread, late)] == [1, 2, 1]


def test_an_outage_puts_no_more_than_three_orders_in_doubt(world: World) -> None:
    """Until a read succeeds; and when it is over all go their way."""
    for question in (LOOKUP, LIST, SUBMIT):
        world.sandbox.fault("answer", match=question, body="bad_gateway", when="before", count=None)
    decisions = [world.propose(symbol) for symbol in ("A", "AA", "AAL", "AAP", "ABT", "ACN")]
    world.ready_worker()
    looked = (
        "select count(*)::int from orderlatch.wire as w where w.kind = 'find_order' and w.state = 'answered'"
    )
    world.wait_until(lambda: world.number(looked) >= 9, what="some lookups have failed")
    statuses = sorted(world.status(decision) for decision in decisions)
    assert statuses == ["approved"] * 3 + ["in_doubt"] * 3
    assert world.sandbox.summary()["posts"] == 3
    world.sandbox.tell("DELETE", "faults")
    world.wait_for("submitted", *decisions)


@pytest.mark.thorough
@pytest.mark.parametrize("state", ["refuse", "hang_up"])
def test_a_broker_behind_a_shut_door(world: World, state: str) -> None:
    world.ready_worker()
    world.sandbox.tell("PUT", "door", {"state": state, "seconds": 3600})
    decision = world.propose()
    told = {"refuse": "not_sent", "hang_up": "in_doubt"}[state]
    world.wait_until(lambda: told in world.meanings(decision), what="the call has failed")
    world.sandbox.tell("PUT", "door", {"state": "open"})
    world.wait_for("submitted", decision)
    assert world.sandbox.posts_of(decision) == 1
