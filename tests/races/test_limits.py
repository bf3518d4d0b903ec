"""Limits that add up, judged while what they count is on the move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.scene import only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.races.scene import Scene, Session

PROPOSE = "select p.reasons from orderlatch.propose_decision('paper', %s) as p"
PREVIEW = """
select array_agg(s.without order by l.limit_kind)
from orderlatch.preview_decision('paper', %s) as p
cross join lateral jsonb_to_recordset(p.inputs -> 'sums') as s(limit_id integer, without numeric)
join orderlatch_data.risk_limits as l on l.limit_id = s.limit_id
"""
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
RECORD = "select test.record(test.answer_order(test.holder(%s)))"
DOUBT = "select test.record(test.answer_maybe(test.holder(%s)))"
SHOW = """
select orderlatch_data.lock_account('answering', test.account_id()),
  orderlatch_data.take_orders(test.account_id(), jsonb_build_array(test.order_document(%s, %s)), null, true)
"""
FILL = """
select orderlatch_data.lock_account('answering', test.account_id()),
  test.take_fills(jsonb_build_array(jsonb_build_object(
    'id', 'activity::' || %s, 'activity_type', 'FILL', 'type', 'fill',
    'transaction_time', '2026-03-02T15:00:00Z', 'order_id', 'order-' || test.decision_id(%s),
    'symbol', 'GOOG', 'side', 'buy', 'price', '100', 'qty', %s::text)))
"""
KINDS = ["gross_exposure", "notional_a_day", "open_orders", "orders_a_day", "position_quantity"]
# One decision to buy ten shares at 100 dollars, in the order of the kinds.
COUNTED_ONCE = [1000, 1000, 1, 1, 10]


def a_decision(scene: Scene, **members: object) -> Jsonb:
    given = {"order_type": "limit", "limit_price": "100", "reference_price": "100"} | members
    return Jsonb(scene.ground.value("select test.a_decision(%s)", Jsonb(given)))


def limit(scene: Scene, kind: str, ceiling: float = 10**9) -> None:
    scene.ground.rows("select orderlatch.set_limit(%s, %s, 'paper')", kind, ceiling)


def counted(scene: Scene) -> object:
    """What each limit counts for one more share, in a session that waits for nothing."""
    return scene.hasty().value(PREVIEW, a_decision(scene, qty="1"))


def test_of_two_that_fit_alone_the_first_committed_passes(scene: Scene) -> None:
    limit(scene, "open_orders", 1)
    first = scene.transaction()
    assert first.rows(PROPOSE, a_decision(scene)) == [([],)]
    rival = scene.blocked(PROPOSE, a_decision(scene))
    first.commit()
    assert only(rival) == (["open_orders"],)


def test_a_rolled_back_approval_takes_no_room(scene: Scene) -> None:
    limit(scene, "open_orders", 1)
    first = scene.transaction()
    assert first.rows(PROPOSE, a_decision(scene)) == [([],)]
    rival = scene.blocked(PROPOSE, a_decision(scene))
    first.rollback()
    assert only(rival) == ([],)


@pytest.mark.parametrize("account", ["paper", None])
def test_nothing_is_approved_by_the_old_limit_once_the_new_one_is_set(
    scene: Scene, account: str | None
) -> None:
    set_limit = "select orderlatch.set_limit('order_quantity', 5, %s::text)"
    judging = scene.transaction()
    assert judging.rows(PROPOSE, a_decision(scene)) == [([],)]
    operator = scene.blocked(set_limit, account)
    judging.commit()
    operator.result(timeout=10)
    assert scene.ground.rows(PROPOSE, a_decision(scene)) == [(["order_quantity"],)]


def test_a_proposal_waits_for_an_operator_who_is_setting_a_limit(scene: Scene) -> None:
    operator = scene.transaction()
    operator.rows("select orderlatch.set_limit('order_quantity', 5)")
    rival = scene.blocked(PROPOSE, a_decision(scene))
    operator.commit()
    assert only(rival) == (["order_quantity"],)


def test_accounts_are_limited_side_by_side(scene: Scene) -> None:
    scene.ground.rows("select test.given_account('other')")
    scene.ground.rows("select orderlatch.set_limit('open_orders', 1)")
    scene.transaction().rows(PROPOSE, a_decision(scene))
    other = PROPOSE.replace("paper", "other")
    assert scene.hasty().rows(other, a_decision(scene)) == [([],)]


def test_room_that_is_given_back_is_there_from_the_commit_on(scene: Scene) -> None:
    limit(scene, "open_orders", 1)
    decision = a_decision(scene)
    scene.ground.rows(PROPOSE, decision)
    giving = scene.transaction()
    decision_hash = scene.ground.text("select orderlatch.decision_hash('paper', %s)", decision)
    assert giving.rows(WITHDRAW, decision_hash) == [("withdrawn",)]
    # a proposal does not wait for it, and does not see it yet
    assert scene.hasty().rows(PROPOSE, a_decision(scene)) == [(["open_orders"],)]
    giving.commit()
    assert scene.ground.rows(PROPOSE, a_decision(scene)) == [([],)]


def moves_of(scene: Scene, decision_hash: str) -> list[tuple[str, Callable[[Session], object]]]:
    """The way of an order from its approval until every share is booked."""
    partly = Jsonb({"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "100",
                    "updated_at": "2026-03-02T15:00:01Z"})  # fmt: skip
    filled = Jsonb({"status": "filled", "filled_qty": "10", "filled_avg_price": "100",
                    "updated_at": "2026-03-02T15:00:02Z"})  # fmt: skip
    return [
        ("claimed", lambda session: scene.claim(session)),
        ("in doubt", lambda session: session.rows(DOUBT, decision_hash)),
        ("found", lambda session: session.rows(RECORD, decision_hash)),
        ("shown filled in part", lambda session: session.rows(SHOW, decision_hash, partly)),
        ("booked in part", lambda session: session.rows(FILL, "1", decision_hash, 4)),
        ("booked before it is shown", lambda session: session.rows(FILL, "2", decision_hash, 6)),
        ("shown filled", lambda session: session.rows(SHOW, decision_hash, filled)),
    ]


def test_an_order_counts_once_whichever_move_is_under_way(scene: Scene) -> None:
    for kind in KINDS:
        limit(scene, kind)
    decision = a_decision(scene)
    scene.ground.rows(PROPOSE, decision)
    decision_hash = scene.ground.text("select orderlatch.decision_hash('paper', %s)", decision)
    for name, move in moves_of(scene, decision_hash):
        moving = scene.transaction()
        move(moving)
        assert counted(scene) == COUNTED_ONCE, f"before the commit of: {name}"
        moving.commit()
        open_orders = 0 if name == "shown filled" else 1
        assert counted(scene) == [*COUNTED_ONCE[:2], open_orders, *COUNTED_ONCE[3:]], f"after: {name}"


# Waits, in the middle of gathering what limits count, until the test lets go.
WAITING_PRICE = b"""
create or replace function orderlatch_data.last_price(p_account_id integer, p_symbol text) returns numeric
language plpgsql stable parallel safe security invoker set search_path = pg_catalog, pg_temp
as $$ begin perform pg_advisory_xact_lock(4711, 1); return 100; end $$
"""
BY_HAND = """
select orderlatch_data.take_orders(test.account_id(), jsonb_build_array(jsonb_build_object(
  'id', 'by-hand', 'client_order_id', 'by-hand', 'symbol', 'AAPL', 'side', 'buy', 'type', 'market',
  'qty', '10', 'status', 'new', 'filled_qty', '0', 'submitted_at', '2026-03-02T15:00:00Z')), null, true)
"""


@pytest.mark.parametrize(
    ("before", "meanwhile", "total"),
    # ten more shares without a price make the counting wait: of a decision, or of an order placed by hand
    [(2, [2], [2000, 2000, 2, 2, 10]), (3, [4, 5], [2000, 1000, 2, 1, 10])],
    ids=["found", "booked"],
)
def test_a_verdict_counts_at_one_moment(
    scene: Scene, before: int, meanwhile: list[int], total: list[int]
) -> None:
    """An order moves from here to there between two of the queries that count: it is counted once."""
    decision = a_decision(scene)
    scene.ground.rows(PROPOSE, decision)
    decision_hash = scene.ground.text("select orderlatch.decision_hash('paper', %s)", decision)
    moves = [move for _, move in moves_of(scene, decision_hash)]
    for move in moves[:before]:
        move(scene.ground)
    if before == 2:
        members = {"symbol": "AAPL", "order_type": "market", "limit_price": None, "reference_price": None}
        assert scene.ground.rows(PROPOSE, a_decision(scene, **members)) == [([],)]
    else:
        scene.ground.rows(BY_HAND)
    for kind in KINDS:
        limit(scene, kind)
    scene.ground.connection.execute(WAITING_PRICE)
    gate = scene.transaction()
    gate.rows("select pg_advisory_xact_lock(4711, 1)")
    judging = scene.blocked(PREVIEW, a_decision(scene, qty="1"))
    for number in meanwhile:
        moves[number](scene.ground)
    gate.commit()
    assert only(judging) == (total,)
