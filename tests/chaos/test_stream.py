"""The stream makes the mirror fast and never correct: heard, cut, spoilt, heard twice over, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.chaos.test_killed import kill
from tests.chaos.world import SHORT

if TYPE_CHECKING:
    from tests.chaos.world import World
    from tests.worker.script import Worker
    from worker.sandbox.values import Json

# As good as never: what the mirror learns, it learns from the stream, or because the stream came back.
SELDOM = {"reconcile_every": "1 day", "positions_every": "1 day"}

UNSETTLED = """
select (select count(*) from orderlatch_data.open_requests)::int
     + (select count(*) from orderlatch_data.read_wishes as w where w.due_at <= orderlatch_data.clock())::int
     + (select count(*) from orderlatch_data.broker_reads as r
         where r.purpose <> 'proof'
           and (r.covered_at is null or r.began_at is not null
                or r.next_page_at <= orderlatch_data.clock()))::int
"""
FILLED = "select count(*)::int from orderlatch.executions as e where e.status = 'filled'"
ORDERS = "select e.broker_order_id, e.status, e.filled_qty from orderlatch.executions as e"
FILLS = "select f.activity_id, f.qty, f.price from orderlatch.fills as f"
READS = """
select r.purpose, count(*)::int from orderlatch_data.broker_requests as q
join orderlatch_data.broker_reads as r on r.read_id = q.read_id group by r.purpose
"""
HEARD = (
    "select s.updates::int, s.unreadable::int from orderlatch_data.stream_states as s order by s.worker_id"
)


@pytest.fixture
def world(empty_world: World) -> World:
    """A world whose account is read once a day, and where shares of GOOG have a price."""
    empty_world.mirrored_account(**SHORT, **SELDOM)
    empty_world.sandbox.price("GOOG", "100")
    return empty_world


def heard_worker(world: World, **settings: object) -> Worker:
    """Start a worker; return once it hears the stream and all that was due with that is read."""
    worker = world.ready_worker(stream="on", **settings)
    wait_until_heard(world, worker)
    return worker


def wait_until_heard(world: World, worker: Worker, beginnings: int = 1) -> None:
    """Return once the stream was heard so often, and all that was due with that is read."""
    worker.wait_for("stream_heard", beginnings)
    world.wait_until(lambda: world.number(UNSETTLED) == 0, what="every read is complete")


def reads(world: World) -> dict[str, int]:
    """How many pages were asked for, by what they were for."""
    return {str(purpose): int(pages) for purpose, pages in world.rows(READS)}


def differences(world: World) -> set[tuple[object, ...]]:
    """The orders and fills upon which the mirror and the broker do not agree."""
    truth: set[tuple[object, ...]] = set()
    for family in world.sandbox.family():
        order, fills = family["order"], family["fills"]
        assert isinstance(order, dict)
        assert isinstance(fills, list)
        truth.add((family["id"], family["status"], number(order["filled_qty"])))
        for fill in fills:
            assert isinstance(fill, dict)
            truth.add((fill["id"], number(fill["qty"]), number(fill["price"])))
    return truth ^ {*world.rows(ORDERS), *world.rows(FILLS)}


def number(text: Json) -> Decimal:
    return Decimal(str(text))


def wait_for_the_truth(world: World, *, filled: int) -> None:
    """Return once so many orders are filled and the mirror shows what the broker has."""
    world.wait_until(lambda: world.number(FILLED) == filled, what=f"{filled} orders are filled")
    world.wait_until(lambda: differences(world) == set(), what="mirror and broker agree")


# --- heard ----------------------------------------------------------------------------------------------


def test_fills_arrive_through_the_stream_without_a_list_of_orders_being_read(world: World) -> None:
    heard_worker(world)
    before = reads(world)
    for _ in range(5):
        world.propose()
    wait_for_the_truth(world, filled=5)
    after = reads(world)
    assert (after["orders"], after["open_orders"]) == (before["orders"], before["open_orders"])
    assert after["fills"] > before["fills"], "the stream made them due"


@pytest.mark.thorough
@pytest.mark.parametrize("frames", ["binary", "text"])
def test_frames_of_both_environments_are_understood(world: World, frames: str) -> None:
    world.sandbox.settings(stream_frames=frames)
    heard_worker(world)
    world.propose()
    wait_for_the_truth(world, filled=1)
    [(updates, unreadable)] = world.rows(HEARD)
    assert updates > 0
    assert unreadable == 0


def test_two_workers_hear_one_account_and_count_nothing_twice(world: World) -> None:
    first = heard_worker(world)
    heard_worker(world)
    wait_for_listeners(world, 2)
    for _ in range(3):
        world.propose()
    wait_for_the_truth(world, filled=3)
    world.wait_until(lambda: all(updates >= 9 for updates, _ in world.rows(HEARD)), what="both have told all")
    assert differences(world) == set()
    kill(first)
    world.propose()
    wait_for_the_truth(world, filled=4)


def wait_for_listeners(world: World, count: int) -> None:
    """Return once so many sockets listen at the broker."""
    world.sandbox.tell("GET", f"stream?listening={count}&account=paper&wait_s=20")


def test_what_is_spoilt_on_its_way_changes_nothing(world: World) -> None:
    heard_worker(world)
    faults: list[dict[str, Json]] = [
        {"action": "duplicate", "times": 3, "count": 2},
        {"action": "reorder", "after": 2, "nth": 3},
        {"action": "garbage", "body": "truncated", "count": 5},
        {"action": "garbage", "body": "not_utf8", "count": 5},
        {"action": "garbage", "body": "scalar", "count": 5},
        {"match": {"event": "new"}, "action": "alter", "data": {"event": "teleported"}},
    ]
    for fault in faults:
        world.sandbox.tell("POST", "stream/faults", fault)
    for _ in range(4):
        world.propose()
    wait_for_the_truth(world, filled=4)
    world.wait_until(lambda: world.rows(HEARD)[0][1] >= 5, what="garbage was counted")


# --- cut ------------------------------------------------------------------------------------------------


def test_a_reconnect_makes_exactly_one_reconcile(world: World) -> None:
    worker = heard_worker(world)
    before = reads(world)
    world.sandbox.tell("PUT", "stream", {"state": "cut"})
    wait_until_heard(world, worker, 2)
    after = reads(world)
    assert {purpose: after[purpose] - before[purpose] for purpose in after} == {
        "orders": 1,
        "open_orders": 1,
        "fills": 1,
        "positions": 0,
    }
    state = "select (s.connected_at > s.lost_at or s.lost_at is null) from orderlatch_data.stream_states as s"
    assert world.rows(state) == [(True,)]


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_fill_that_is_lost_with_its_connection_is_found_by_the_next(world: World, how: str) -> None:
    worker = heard_worker(world)
    world.sandbox.tell(
        "POST",
        "stream/faults",
        {"match": {"event": "fill"}, "action": "disconnect", "when": "before", "how": how},
    )
    world.propose()
    wait_for_the_truth(world, filled=1)
    assert len(worker.events("stream_ended")) == 1
    assert len(worker.events("stream_heard")) == 2


def test_fills_while_nobody_lives_to_hear_them_are_found_by_the_next_life(world: World) -> None:
    worker = heard_worker(world)
    decisions = [world.propose(order_type="limit", limit_price="90") for _ in range(3)]
    world.wait_for("submitted", *decisions)
    kill(worker)
    world.sandbox.price("GOOG", "90")
    world.sandbox.orders()  # every call first lets happen what is due
    heard_worker(world)
    wait_for_the_truth(world, filled=3)


def test_an_hour_without_the_stream_changes_nothing_but_latency(world: World) -> None:
    """The broker's time and the database's both: 60 rounds of reading, and orders in each quarter."""
    world.change_account(reconcile_every="1 minute", positions_every="5 minutes")
    world.hold_clock()
    worker = heard_worker(world, poll_ms=100)
    world.sandbox.tell("PUT", "stream", {"state": "unplugged", "seconds": 3600})
    worker.wait_for("stream_ended")
    for quarter in range(1, 5):
        world.wait_for("submitted", world.propose(), world.propose())
        assert differences(world) != set(), "nobody has told the database yet"
        for _ in range(15):
            world.pass_time(60)
            world.wait_until(lambda: world.number(UNSETTLED) == 0, what="every read is complete")
        wait_for_the_truth(world, filled=2 * quarter)
    world.pass_time(1)
    wait_until_heard(world, worker, 2)
    world.propose()
    world.wait_until(lambda: world.number(FILLED) == 9, what="the stream tells of the fill")
    world.pass_time(10)  # its activity is read a little later
    wait_for_the_truth(world, filled=9)
