"""What is over is read by nothing that people look at or operators do: lives of workers, grants, halts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audit.test_views import read_by

if TYPE_CHECKING:
    from tests.support.servers import Database

FEW = 100
MANY = 400
# pages of the catalogue and a row here and there; what grows, grows by some hundred
SLACK = 40
GIVEN = """
select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account('paper', '{"rate_limit": 1000000, "burst": 500000}');
select test.given_mirrored_account('live', '{"rate_limit": 1000000, "burst": 500000}', 'live');
select test.given_worker('paper', 'live');
select orderlatch.propose_decision('live', test.a_decision());
select orderlatch.set_limit('gross_exposure', 1000000, 'paper');
select orderlatch.set_limit('position_quantity', 1000000, 'live');
select test.given_halt('of one account', 'paper');
select test.given_halt('of all of them, for a symbol', p_symbol => 'GOOG');
"""
LIVES_OF_WORKERS = """
insert into orderlatch_data.workers (worker_id, worker_name, login, registered_at, released_at)
  overriding system value
select -n, 'gone', 'gone', '2026-01-01Z', '2026-01-02Z' from generate_series({first}, {last}) as n;
insert into orderlatch_data.worker_accounts (worker_id, account_id, environment, verified_at)
select -n, a.account_id, a.environment, '2026-01-01Z'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
insert into orderlatch_data.stream_states (account_id, worker_id, connected_at, lost_at)
select a.account_id, -n, '2026-01-01Z', '2026-01-02Z'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
"""
LIVE_GRANTS = """
insert into orderlatch_data.live_grants (account_id, granted_at, granted_until, granted_by, reason)
select a.account_id, '2026-01-01Z', '2026-01-02Z', 'gone', 'over'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n
 where a.environment = 'live';
"""
# Placed by hand, and canceled one after the other.
FOREIGN_ORDERS = """
insert into orderlatch_data.broker_orders (
  account_id, broker_order_id, relation, client_order_id, symbol, side, order_type, qty, status, is_open,
  submitted_at, recorded_at, changed_at, foreign_at
)
select a.account_id, 'by-hand-' || n, 'order', 'by-hand-' || n, 'HAND', 'buy', 'limit', 1, 'canceled', false,
       '2026-01-01Z', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
insert into orderlatch_data.order_cancels
  (account_id, broker_order_id, asked_at, asked_by, reason, tries, ended_at, outcome)
select a.account_id, 'by-hand-' || n, '2026-01-01Z', 'gone', 'over', 1, '2026-01-02Z', 'canceled'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
"""
# Bought and sold again; what is held besides is GOOG. (Limits over all symbols look at what is held.)
SYMBOLS = """
insert into orderlatch_data.position_sums (account_id, symbol, qty, bought, sold, last_fill_at)
select a.account_id, 'S' || n, 0, 30, 30, '2026-01-01Z'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
insert into orderlatch_data.strategy_positions (account_id, strategy_id, symbol, qty)
select a.account_id, 'sma-cross', 'S' || n, 0
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
insert into orderlatch_data.broker_orders (
  account_id, broker_order_id, relation, symbol, side, order_type, qty, status, is_open, submitted_at,
  recorded_at, changed_at, foreign_at
)
select a.account_id, 'traded-' || n, 'order', 'S' || n, 'buy', 'market', 30, 'filled', false, '2026-01-01Z',
       '2026-01-01Z', '2026-01-01Z', '2026-01-01Z'
  from orderlatch_data.accounts as a, generate_series({first}, {last}) as n;
insert into orderlatch_data.fills
  (account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, recorded_at)
select b.account_id, b.symbol || '::' || part, 'fill', b.order_no, b.symbol, 1, 1, 'fill',
       '2026-01-01Z', '2026-01-01Z'
  from orderlatch_data.broker_orders as b, generate_series(1, 10) as part
 where b.broker_order_id like 'traded-%' and substr(b.symbol, 2)::integer between {first} and {last};
"""
PROPOSE = (
    "select * from orderlatch.propose_decision('paper', test.a_decision('{\"reference_price\": \"9\"}'))"
)
COMPARE = """
select orderlatch_data.compare_positions(a, null) from orderlatch_data.accounts as a where a.account = 'paper'
"""
PAST = {
    "lives of workers": LIVES_OF_WORKERS,
    "live grants": LIVE_GRANTS,
    "orders by hand": FOREIGN_ORDERS,
    "symbols": SYMBOLS,
}
LOOKED_AT = [
    ("lives of workers", "table orderlatch.terse_live_board"),
    ("lives of workers", "table orderlatch.metrics"),
    ("lives of workers", "table orderlatch.streams"),
    ("lives of workers", "table orderlatch.terse_workers"),
    ("live grants", "table orderlatch.metrics"),
    ("live grants", "table orderlatch.waiting"),
    ("orders by hand", "table orderlatch.terse_foreign"),
    ("orders by hand", "select * from orderlatch.halt_progress(1)"),
    ("orders by hand", "select * from orderlatch.halt_progress(2)"),
    ("symbols", PROPOSE.replace("'paper'", "'live'")),
    ("symbols", PROPOSE),
    ("symbols", COMPARE),
    ("symbols", "table orderlatch.positions"),
    ("orders by hand", "select orderlatch_data.heal_lost_decisions(1)"),
]


@pytest.mark.every_major
@pytest.mark.parametrize(("past", "question"), LOOKED_AT)
def test_what_is_over_is_not_read(database: Database, past: str, question: str) -> None:
    read = []
    with database.connect() as session:
        session.execute(GIVEN)
        for first, last in ((1, FEW), (FEW + 1, MANY)):
            session.execute("set session_replication_role = replica")
            session.execute(PAST[past].format(first=first, last=last).encode())
            session.execute("set session_replication_role = origin")
            session.execute("vacuum analyze")
            session.execute("set enable_seqscan = off")  # as a planner decides where tables are large
            session.execute("set enable_bitmapscan = off")
            read_by(database, session, question)  # what a session reads once
            read.append(read_by(database, session, question))
            session.execute("discard plans")
    few, many = read
    assert many < few + SLACK, f"{question} reads {few} rows after {FEW} {past}, and {many} after {MANY}"


def test_the_newest_fills_are_found_without_those_of_every_symbol(database: Database) -> None:
    with database.connect() as session:
        session.execute(GIVEN)
        session.execute("set session_replication_role = replica")
        session.execute(SYMBOLS.format(first=1, last=MANY).encode())
        session.execute("set session_replication_role = origin")
        session.execute("vacuum analyze")
        session.execute("set enable_seqscan = off")
        session.execute("set enable_bitmapscan = off")
        read = read_by(database, session, "table orderlatch.terse_fills")
    assert read < 10 * MANY, f"{read} rows for 40 fills, where {2 * MANY} symbols have ten each"
