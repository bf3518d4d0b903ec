"""Gates against eight busy workers: only what a halt lists arrives, and nothing old leaves in a burst."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.world import World

WORKERS = 8
SYMBOLS = [f"H{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(60)]
HALT = """
select h.halt_id, h.what, h.decision_hash, h.sent_by
  from orderlatch.halt('enough', %s, %s, %s, %s) as h
"""
NOW = "select orderlatch_data.clock()"
ON_THEIR_WAY = "select count(*)::int from orderlatch.in_flight as f where f.kind = 'submit_order'"
APPROVED = "select count(*)::int from orderlatch.decisions as d where d.status = 'approved'"
IN_SCOPE = """
select d.decision_hash from orderlatch.decisions as d where d.strategy_id = coalesce(%s, d.strategy_id)
"""
LEFT = "select count(*)::int from orderlatch.halt_progress(%s) as p where p.what <> 'ended order'"
# Answers take a while, so that a halt always finds calls on their way.
SLOW: dict[str, object] = {"call_timeout": "3 s", "max_in_doubt": 12}


class Halt:
    """A halt that has returned: what it listed, and when that was, on the clocks of database and broker."""

    def __init__(self, world: World, *scope: str | None, cancel_open: bool = False) -> None:
        self._world = world
        self._skew = broker_now(world) - database_now(world)
        rows = world.rows(HALT, *scope, cancel_open)
        self.returned_at = broker_now(world)
        self.halt_id = rows[0][0]
        self.what = [str(what) for _, what, _, _ in rows]
        self.sent_by = {str(of): by for _, what, of, by in rows if what == "in flight"}

    def arrived_since(self) -> dict[str, datetime]:
        """The orders that were posted after the halt had returned, with when, on the database's clock."""
        calls = [call for call in self._world.sandbox.calls() if call["method"] == "POST"]
        times = {str(call["client_order_id"]): datetime.fromisoformat(str(call["at"])) for call in calls}
        return {of: at - self._skew for of, at in times.items() if at > self.returned_at}

    def wait_until_over(self) -> None:
        """Return once nothing that was in flight can arrive any more."""
        last = max(self.sent_by.values(), default=database_now(self._world))
        self._world.wait_until(
            lambda: database_now(self._world) > last, what="what was in flight has arrived"
        )


def database_now(world: World) -> datetime:
    [(now,)] = world.rows(NOW)
    assert isinstance(now, datetime)
    return now


def broker_now(world: World) -> datetime:
    told = world.sandbox.tell("GET", "clock")
    assert isinstance(told, dict)
    return datetime.fromisoformat(str(told["now"]))


def busy(world: World) -> None:
    """Eight workers with more to do than they get done, and a broker that takes its time."""
    world.change_account("paper", **SLOW)
    for _ in range(WORKERS):
        world.ready_worker()
    world.sandbox.fault("delay", when="before", seconds=0.3, count=None)
    for number, symbol in enumerate(SYMBOLS):
        world.propose(symbol, strategy_id="wild" if number % 2 else "calm")
    world.wait_until(lambda: len(world.sandbox.calls()) > 30, what="orders arrive")
    world.wait_until(lambda: world.number(ON_THEIR_WAY) >= 6, what="calls are on their way")


@pytest.mark.parametrize(
    ("account", "strategy_id", "symbol"),
    [
        ("paper", None, None),
        pytest.param(None, None, None, marks=pytest.mark.thorough),
        pytest.param(None, "wild", None, marks=pytest.mark.thorough),
        pytest.param("paper", "wild", None, marks=pytest.mark.thorough),
    ],
)
def test_after_a_halt_only_what_it_listed_arrives(
    world: World, account: str | None, strategy_id: str | None, symbol: str | None
) -> None:
    busy(world)
    halt = Halt(world, account, strategy_id, symbol)
    assert halt.what[0] == "halted"
    assert "in the way" not in halt.what
    halt.wait_until_over()
    scope = {str(of) for (of,) in world.rows(IN_SCOPE, strategy_id)}
    arrived = {of: at for of, at in halt.arrived_since().items() if of in scope}
    assert arrived.keys() <= halt.sent_by.keys(), "an order that nobody announced"
    late = {of: at - halt.sent_by[of] for of, at in arrived.items() if at > halt.sent_by[of]}
    assert late == {}, "an order after the moment that was named for it"
    assert halt.sent_by, "with nothing in flight this proves nothing"
    assert world.number(APPROVED) > 0, "nor with nothing left to send"
    world.sandbox.tell("DELETE", "faults")
    world.run("select orderlatch.lift_halt(%s, 'go on')", halt.halt_id)
    world.wait_until(lambda: world.number(APPROVED) == 0, what="all go when it is lifted")


def test_a_halt_that_cancels_leaves_no_order_open(world: World) -> None:
    """Market orders fill at once, so these have limits that nobody meets."""
    world.change_account("paper", **SLOW)
    for _ in range(WORKERS):
        world.ready_worker()
    world.sandbox.fault("delay", when="before", seconds=0.5, count=None)
    for symbol in SYMBOLS:
        world.sandbox.price(symbol, "100")
    for symbol in SYMBOLS:
        world.propose(symbol, order_type="limit", limit_price="1.00")
    world.wait_until(lambda: len(world.sandbox.truth()) >= 8, what="orders are open")
    halt = Halt(world, "paper", None, None, cancel_open=True)
    world.sandbox.tell("DELETE", "faults")
    world.wait_until(lambda: world.number(LEFT, halt.halt_id) == 0, what="every order has ended")
    halt.wait_until_over()
    statuses = {str(order["status"]) for order in world.sandbox.truth()}
    assert statuses == {"canceled"}
    assert world.number(APPROVED) > 0
    world.run("select orderlatch.lift_halt(%s, 'go on')", halt.halt_id)
    world.wait_until(lambda: world.number(APPROVED) == 0, what="all go when it is lifted")


def test_after_hours_without_a_worker_nothing_old_leaves(patient_world: World) -> None:
    """Three hours pass for broker and database; two decisions are young."""
    world = patient_world
    for symbol in SYMBOLS:
        world.propose(symbol)
    world.pass_time(timedelta(hours=3).total_seconds())
    young = [world.propose(symbol) for symbol in ("KO", "PEP")]
    for _ in range(WORKERS):
        world.worker(poll_ms=100)
    world.wait_until(lambda: {world.status(of) for of in young} == {"submitted"}, what="the young ones go")
    for _ in range(3):
        world.pass_time(1)  # a claim lapses a hundred at a time
        world.run("select pg_notify('orderlatch', 'paper')")
    lapsed = "select count(*)::int from orderlatch.decisions as d where d.status = 'lapsed'"
    world.wait_until(lambda: world.number(lapsed) == len(SYMBOLS), what="all the old ones lapse")
    assert world.sandbox.summary()["posts"] == 2
