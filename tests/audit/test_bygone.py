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
PAST = {
    "workers": LIVES_OF_WORKERS,
}
LOOKED_AT = [
    ("workers", "table orderlatch.terse_live_board"),
    ("workers", "table orderlatch.metrics"),
    ("workers", "table orderlatch.streams"),
    ("workers", "table orderlatch.terse_workers"),
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
    few, many = read
    assert many < few + SLACK, f"{question} reads {few} rows after {FEW} {past}, and {many} after {MANY}"
