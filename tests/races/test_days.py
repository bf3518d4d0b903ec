"""What a day's ended orders add up to, while one of them changes after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene, Session

ORDERS = 40
DECISIONS = """
select test_support.advance_clock('1 second'), p.status from orderlatch.propose_decisions('paper', (
  select jsonb_agg(test.a_decision(jsonb_build_object(
           'symbol', 'D' || chr(65 + n / 26) || chr(65 + n %% 26), 'reference_price', '100')))
    from generate_series(1, %s::integer) as n
)) as p
"""
CARRY = """
select test.record(test.answer_order(c.request_id, jsonb_build_object(
         'id', 'order-' || test.symbol_of(c.body),
         'status', 'filled', 'filled_qty', '10', 'filled_avg_price', '100'))),
       test.take_fills(jsonb_build_array(test.a_fill(
         'order-' || test.symbol_of(c.body), test.symbol_of(c.body),
         jsonb_build_object('symbol', test.symbol_of(c.body), 'price', '100'))))
  from test.claim(%s) as c where c.kind = 'submit_order'
"""
SYMBOL_OF = """
create function test.symbol_of(p_body text) returns text
language sql as $$ select p_body::jsonb ->> 'symbol' $$
"""
BUST = """
select orderlatch_data.lock_account('answering', test.account_id()),
  test.take_fills(jsonb_build_array(test.a_fill('order-DAB', 'bust', '{
    "symbol": "DAB", "price": "100", "type": "trade_bust", "previous_execution_id": "DAB"}')))
"""
COUNTED = """
select array_agg(s.without order by l.limit_kind desc)
  from orderlatch.preview_decision('paper', test.a_decision()) as p
 cross join lateral jsonb_to_recordset(p.inputs -> 'sums') as s(limit_id integer, without numeric)
  join orderlatch_data.risk_limits as l on l.limit_id = s.limit_id
"""
PROPOSE = """
select test_support.advance_clock('1 second'), p.status
  from orderlatch.propose_decision('paper', test.a_decision('{"reference_price": "100"}')) as p
"""
MARKED = "select cardinality(m.apart) from orderlatch_data.day_marks as m"
# Holds the verdict that adds up, its snapshot taken, before it writes, until the test lets go.
WAITING = """
create function test.wait() returns trigger
language plpgsql as $$ begin perform pg_advisory_xact_lock(4711, 1); return null; end $$;
create trigger wait before insert on orderlatch_data.day_sums for each statement execute function test.wait();
"""


@pytest.fixture
def day(scene: Scene) -> Session:
    """A day with limits, and forty orders of it that were filled; none is added up yet."""
    ground = scene.ground
    ground.rows("select orderlatch.set_limit(k, 1000000000, 'paper') from unnest(%s::text[]) as k",
                ["orders_a_day", "notional_a_day"])  # fmt: skip
    ground.rows("select orderlatch.update_account('paper', '{\"max_in_doubt\": 100}')")
    ground.connection.execute(SYMBOL_OF.encode())
    assert len(ground.rows(DECISIONS, ORDERS)) == ORDERS
    assert len(ground.rows(CARRY, scene.worker)) == ORDERS
    assert ground.value(COUNTED) == [ORDERS, ORDERS * 1000]
    return ground


def test_a_bust_under_way_is_not_missed_by_the_sum_that_did_not_see_it(scene: Scene, day: Session) -> None:
    busting = scene.transaction()
    busting.rows(BUST)
    # a verdict waits for nobody who records, and adds up what is committed
    assert scene.hasty().rows(PROPOSE)[0][1] == "approved"
    assert day.value(MARKED) == 0
    assert day.value(COUNTED) == [ORDERS + 1, (ORDERS + 1) * 1000]
    busting.commit()
    assert day.value(COUNTED) == [ORDERS + 1, ORDERS * 1000]
    assert scene.violations() == {}
    scene.hasty().rows(PROPOSE)
    assert day.value(COUNTED) == [ORDERS + 2, (ORDERS + 1) * 1000]


def test_a_bust_while_a_verdict_adds_up_is_counted_by_the_next(scene: Scene, day: Session) -> None:
    # something to take away, so that the verdict counts anew
    day.rows("insert into orderlatch_data.day_recounts (account_id) values (test.account_id()) returning 1")
    day.connection.execute(WAITING.encode())
    gate = scene.transaction()
    gate.rows("select pg_advisory_xact_lock(4711, 1)")
    judging = scene.blocked(PROPOSE)
    scene.hasty().rows(BUST)
    gate.commit()
    assert only(judging)[1] == "approved"
    assert day.value(COUNTED) == [ORDERS + 1, ORDERS * 1000]
    assert scene.violations() == {}


def test_a_bust_that_is_rolled_back_changes_nothing(scene: Scene, day: Session) -> None:
    scene.hasty().rows(PROPOSE)
    busting = scene.transaction()
    busting.rows(BUST)
    busting.rollback()
    assert day.value(COUNTED) == [ORDERS + 1, (ORDERS + 1) * 1000]
    assert day.rows("select * from orderlatch_data.day_recounts") == []


LATE = """
select orderlatch_data.lock_account('answering', test.account_id()),
  orderlatch_data.take_orders(test.account_id(), jsonb_build_array(test.order_document(%s)), null, true)
"""


def test_an_order_despite_its_verdict_is_counted_by_the_verdict_that_waits_for_it(
    scene: Scene, day: Session
) -> None:
    withdrawn = day.text("select test.given_approved_decision('paper', '{\"reference_price\": \"100\"}')")
    day.rows("select orderlatch.withdraw_decision(%s, 'no more')", withdrawn)
    day.rows("select test_support.advance_clock('1 second')")
    assert day.value(COUNTED) == [ORDERS, ORDERS * 1000]
    showing = scene.transaction()
    showing.rows(LATE, withdrawn)
    rival = scene.blocked(PROPOSE)
    showing.commit()
    assert only(rival)[1] == "approved"
    assert day.value(COUNTED) == [ORDERS + 2, (ORDERS + 2) * 1000]
    assert scene.violations() == {}
