"""What invariants reads does not depend on how much is sealed behind it; verify_all reads all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.counts import rows_since, rows_touched
from tests.support.past import given_past

if TYPE_CHECKING:
    from tests.support.servers import Database

LOOKED_AT = (
    "trade_decisions",
    "decision_events",
    "decision_outcomes",
    "open_decisions",
    "risk_verdicts",
    "broker_requests",
    "broker_responses",
    "lost_requests",
    "live_signals",
    "order_cancels",
    "broker_orders",
    "fills",
)
# The last block, which is not full: at most 10,000 events of 2,500 decisions, each looked at a few times.
BOUND = 40_000


def rows_read(database: Database, decisions: int) -> int:
    """Rows of decisions, events and calls that invariants reads after so many sealed decisions."""
    with database.connect() as session:
        given_past(session, decisions)
        session.execute("select orderlatch.ensure_decision('paper', test.a_decision())")
        session.execute("analyze")
        session.execute("set enable_seqscan = off")  # as a planner decides where tables are large
        before = rows_touched(database, session)
        session.execute("select i.promise, i.violations from orderlatch.invariants as i").fetchall()
        read = rows_since(before, rows_touched(database, session))
    return sum(read.get(table, (0, 0))[0] for table in LOOKED_AT)


@pytest.mark.parametrize("decisions", [5_100, pytest.param(20_100, marks=pytest.mark.thorough)])
def test_invariants_read_what_is_open_or_not_sealed_whatever_is_behind(
    database: Database, decisions: int
) -> None:
    read = rows_read(database, decisions)
    assert read < BOUND


LATE_FILL = """
insert into orderlatch_data.fills
  (account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, recorded_at)
select b.account_id, 'late', 'fill', b.order_no, 'PAST', 1, 1, 'fill', '2026-02-01T15:00:00Z', b.recorded_at
  from orderlatch_data.broker_orders as b where b.broker_order_id = 'past-1';
update orderlatch_data.position_sums set qty = qty + 1 where symbol = 'PAST';
update orderlatch_data.strategy_positions set qty = qty + 1 where symbol = 'PAST';
"""
HOLDINGS = """
select m.violations from orderlatch_data.mirror_promises as m where m.promise_no = 14
union all
select r.violations from orderlatch_data.risk_promises as r where r.promise_no = 19
"""


def test_a_fill_that_came_late_is_part_of_the_next_mark(database: Database) -> None:
    read = []
    with database.connect() as session:
        given_past(session, 2_600)
        session.execute("set session_replication_role = replica")
        session.execute(LATE_FILL)
        session.execute(
            "update orderlatch_data.broker_orders set fills_qty = 2 where broker_order_id = 'past-1'"
        )
        session.execute("analyze")
        for _ in range(2):
            before = rows_touched(database, session)
            assert session.execute(HOLDINGS).fetchall() == [(0,), (0,)]
            read.append(rows_since(before, rows_touched(database, session)).get("fills", (0, 0))[0])
            session.execute("select test_support.advance_clock('2 days')")
            session.execute("select orderlatch.audit_head()")
    late, marked = read
    assert late > 2_600
    assert marked < 50, f"{marked} fills are read although all of them are older than the mark"


def test_what_is_sealed_is_found_by_verify_all(database: Database) -> None:
    rows_read(database, 2_600)
    with database.connect() as session:
        broken = "select i.promise from orderlatch.invariants as i where i.violations > 0"
        before = session.execute(broken).fetchall()
        session.execute("set session_replication_role = replica")
        session.execute("delete from orderlatch_data.decision_outcomes where decision_id = 1010")
        assert session.execute(broken).fetchall() == before, (
            "it is sealed, and invariants does not look at it"
        )
        session.execute("update orderlatch_data.broker_orders set fills_qty = 2 where decision_id = 1011")
        found = session.execute(
            "select v.at_id, v.finding from orderlatch.verify_all(p_step => 100) as v "
            "where v.what = 'promises'"
        ).fetchall()
        assert any("promise 1 is broken 1 times" in str(finding) for _, finding in found)
        assert any("promise 13 is broken 1 times" in str(finding) for _, finding in found)
