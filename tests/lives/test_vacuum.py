"""What lives leave dead is cleaned by number, and what they add is frozen as it comes: revision 0014."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lives.test_history import propose, submit
from tests.support.counts import counted

if TYPE_CHECKING:
    from tests.support.servers import Database

LIVES = 30
# Per table: rows that a life left dead, rows that it added, and the table's own settings.
TABLES = """
select s.relname, s.n_tup_upd + s.n_tup_del, s.n_tup_ins, coalesce(c.reloptions, '{}')
  from pg_stat_user_tables as s
  join pg_class as c on c.oid = s.relid
 where s.schemaname = 'orderlatch_data'
"""
BY_NUMBER = {"autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=1000", "vacuum_truncate=false"}
BY_SHARE = {"autovacuum_vacuum_scale_factor=0.05"}
FROZEN = {"autovacuum_freeze_min_age=0", "autovacuum_vacuum_insert_scale_factor=0.05"}


@pytest.mark.every_major
def test_each_table_that_lives_write_has_its_own_vacuum(database: Database) -> None:
    with database.connect() as session:
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000}')")
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        for number in range(LIVES):
            propose(session, number, 1)
            submit(session, worker, 1)
        seen = counted(database, session, TABLES)
    # the one table whose rows stay and change
    (orders,) = (set(options) for table, _, _, options in seen if table == "broker_orders")
    assert orders >= BY_SHARE
    seen = [row for row in seen if row[0] != "broker_orders"]
    dying = {table: set(options) for table, dead, _, options in seen if dead >= LIVES}
    growing = {table: set(options) for table, dead, added, options in seen if added >= LIVES and not dead}
    assert {"open_decisions", "open_requests"} <= dying.keys()
    assert {"trade_decisions", "decision_events", "broker_responses"} <= growing.keys()
    assert [table for table, options in dying.items() if not options >= BY_NUMBER] == []
    assert [table for table, options in growing.items() if not options >= FROZEN] == []
