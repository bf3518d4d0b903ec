"""Postgres crashes, restarts and stays away, under a worker that has answers on their way."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.world import World

# Whatever is answered makes durable what was committed before it.
OTHERS = """
select (select count(*) from orderlatch_data.open_requests as r where r.kind <> 'submit_order')
  + (select count(*) from orderlatch_data.read_wishes)
  + (select count(*) from orderlatch_data.broker_reads as b
      where b.covered_at is null or b.began_at is not null)
"""


@pytest.mark.parametrize("away_s", [0, 4], ids=["at once", "after a while"])
def test_a_crash_of_postgres_costs_no_answer(fragile_world: World, away_s: float) -> None:
    """Good answers and a refusal, all in the worker's hands while there is nobody to record them."""
    world = fragile_world
    world.change_account(max_in_doubt=10)
    worker = world.ready_worker()
    world.sandbox.fault("gate", gate="answer", count=None)
    good = [world.propose(symbol) for symbol in ("GOOG", "KO", "PEP", "IBM")]
    refused = world.propose("MSFT", qty="1000000", order_type="limit", limit_price="400")
    world.sandbox.wait_for_held("answer", 5)
    world.stop_postgres()
    world.sandbox.release("answer")
    world.wait_until(
        lambda: sum(call["kind"] == "submit_order" for call in worker.events("request_carried")) == 5,
        what="every submit is carried",
    )
    time.sleep(away_s)
    world.start_postgres()
    world.wait_for("submitted", *good)
    world.wait_for("refused", refused)
    assert {world.sandbox.posts_of(decision) for decision in (*good, refused)} == {1}
    assert len(worker.events("answer_recorded")) >= 6

    world.sandbox.tell("DELETE", "faults")
    world.wait_for("submitted", world.propose("ORCL"))  # and life goes on


def test_what_was_answered_survives_a_crash_without_synchronous_commit(fragile_world: World) -> None:
    """A proposal and a granted call are on disk before anybody hears of them; a row beside them is not."""
    world = fragile_world
    for setting in ("wal_writer_delay = '10s'", "autovacuum = off"):
        world.run(f"alter system set {setting}")
    world.run("alter role postgres set synchronous_commit = off")
    world.run("create table public.beside (said text)")
    world.stop_postgres("fast")
    world.start_postgres()

    decision = world.propose()
    crash(world, "after the proposal")
    assert world.rows("select b.said from public.beside as b") == []
    assert world.status(decision) == "approved"

    worker = world.worker()
    world.sandbox.fault("gate", gate="wire", when="before")
    world.sandbox.wait_for_held("wire")
    world.wait_until(lambda: world.number(OTHERS) == 0, what="nothing else is on its way or due")
    worker.signal(signal.SIGKILL)
    worker.process.wait()
    crash(world, "after the grant")
    assert world.rows("select b.said from public.beside as b") == []
    assert world.status(decision) == "submitting"

    world.sandbox.release("wire")
    world.worker()
    world.wait_for("submitted", decision)
    assert world.sandbox.posts_of(decision) == 1


def crash(world: World, said: str) -> None:
    """Write a row that nothing makes durable, crash Postgres and start it again."""
    world.run("insert into public.beside (said) values (%s)", said)
    world.stop_postgres()
    world.start_postgres()
