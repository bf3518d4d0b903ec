"""What a round of the mirror costs does not depend on how much has happened before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.support.counts import rows_since, rows_touched

if TYPE_CHECKING:
    from tests.support.servers import Database

# A past as it would have been recorded: two fills for each order, and one in a thousand still open.
HISTORY = """
with orders as (
  insert into orderlatch_data.broker_orders
    (account_id, broker_order_id, relation, client_order_id, symbol, side, order_type, qty, status, is_open,
     status_at, filled_qty, filled_avg_price, filled_as_of, shown_filled_qty, fills_qty, fills_value,
     submitted_at, updated_at, recorded_at, changed_at, foreign_at)
  select test.account_id('paper'), 'h-' || n, 'order', 'by-hand-' || n, 'S' || n %% 200, 'buy', 'limit', 10,
         case when n %% 1000 = 0 then 'new' else 'filled' end, n %% 1000 = 0, t.at, 10, 100, t.at, 10, 10,
         1000, t.at, t.at, t.at, t.at, t.at
    from generate_series(1, %(orders)s) as n
   cross join lateral (select '2026-03-02 12:00:00Z'::timestamptz - n * interval '10 seconds' as at) as t
  returning order_no, account_id, symbol, submitted_at
)
insert into orderlatch_data.fills
  (account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, recorded_at)
select o.account_id, o.order_no || '::' || part, 'fill', o.order_no, o.symbol, 5, 100, 'fill', o.submitted_at,
       o.submitted_at
from orders as o cross join generate_series(1, 2) as part;
"""
# As many decisions, each with the order of the same number.
DECISIONS = """
with cloned as (
  insert into orderlatch_data.trade_decisions
  select (jsonb_populate_record(t, jsonb_build_object(
           'decision_id', 1000 + n, 'decision_hash', '\\x' || encode(sha256(n::text::bytea), 'hex')))).*
    from orderlatch_data.trade_decisions as t cross join generate_series(1, %(orders)s) as n
  returning decision_id
)
update orderlatch_data.broker_orders as b
set decision_id = c.decision_id, client_order_id = null, foreign_at = null
from cloned as c where b.broker_order_id = 'h-' || (c.decision_id - 1000)
"""
SUMS = """
insert into orderlatch_data.position_sums (account_id, symbol, qty, bought, sold, last_fill_at)
select f.account_id, f.symbol, sum(f.qty), sum(f.qty), 0, max(f.filled_at)
from orderlatch_data.fills as f group by f.account_id, f.symbol
"""
OPEN = """
select jsonb_agg(test.a_broker_order(b.broker_order_id, jsonb_build_object(
  'status', 'new', 'filled_qty', '10', 'filled_avg_price', '100', 'symbol', b.symbol, 'client_order_id',
  (select encode(t.decision_hash, 'hex') from orderlatch_data.trade_decisions as t
   where t.decision_id = b.decision_id),
  'submitted_at', orderlatch_data.canonical_time(b.submitted_at),
  'updated_at', orderlatch_data.canonical_time(b.submitted_at))))
from orderlatch_data.broker_orders as b where b.is_open
"""
POSITIONS = """
select jsonb_agg(test.a_position(p.symbol, p.qty::text)) from orderlatch_data.position_sums as p
"""
NEW = [
    {
        "id": f"n-{n}",
        "submitted_at": f"2026-03-02T12:0{n // 60}:{n % 60:02}Z",
        "status": "filled",
        "filled_qty": "0",
    }
    for n in range(200)
]
# 100 open orders, 200 orders within the overlap, 200 positions: each is looked at a few times by its key.
BOUND = 6000


def rows_read(database: Database, orders: int) -> dict[str, tuple[int, int]]:
    """Rows that one empty round reads, and writes, in each table, after a past of so many orders."""
    with database.connect() as session:
        session.execute("select test_support.hold_clock('2026-03-02 12:05:00Z')")
        settings = Jsonb({"reconcile_from": "2026-01-01T00:00:00Z", "on_foreign_order": "ignore"})
        session.execute("select test.given_mirrored_account('paper', %s)", [settings])
        session.execute(HISTORY.encode(), {"orders": orders})
        session.execute("select test.given_decision('paper')")
        session.execute(DECISIONS.encode(), {"orders": orders})
        session.execute(SUMS)
        session.execute(
            "update orderlatch_data.broker_reads set covered_at = '2026-03-02 12:04:00Z', "
            "cursor_at = '2026-03-02 12:00:00Z' where purpose in ('orders', 'fills')"
        )
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        ((resting,),) = session.execute(OPEN).fetchall()
        ((positions,),) = session.execute(POSITIONS).fetchall()
        ((new,),) = session.execute(
            "select jsonb_agg(test.a_broker_order(d ->> 'id', d)) from jsonb_array_elements(%s) as d",
            [Jsonb(NEW)],
        ).fetchall()
        book = Jsonb({"orders": resting + new, "fills": [], "positions": positions})
        session.execute("select test.serve(%s, %s)", [worker, book])
        session.execute("analyze")
        session.execute("select test_support.advance_clock('10 minutes')")
        before = rows_touched(database, session)
        ((kinds,),) = session.execute("select test.serve(%s, %s)", [worker, book]).fetchall()
        assert sorted(kinds) == ["list_fills", "list_orders", "list_orders", "list_positions"]
        return rows_since(before, rows_touched(database, session))


@pytest.mark.every_major
def test_an_empty_round_reads_as_much_after_a_long_past_as_after_a_short_one(database: Database) -> None:
    read = rows_read(database, 10_000)
    mirrored = (
        "broker_orders",
        "fills",
        "position_sums",
        "broker_positions",
        "order_checks",
        "trade_decisions",
    )
    assert sum(read.get(table, (0, 0))[0] for table in mirrored) < BOUND, str(read)
    assert read.get("fills", (0, 0))[0] == 0, str(read)
    assert all(read.get(table, (0, 0))[1] == 0 for table in mirrored), str(read)
