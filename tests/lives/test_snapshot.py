"""A transaction that stays open keeps every dead row: a life reads no more for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lives.test_history import propose
from tests.lives.test_young import submit
from tests.support.counts import counted

if TYPE_CHECKING:
    from tests.support.servers import Database

BETWEEN = 4000
AT_ONCE = 50
LIVES = 10
# What a life reads of each index: entries, those of dead rows among them, and pages, which a search may pass
# without any entry.
READ = """
select s.indexrelname, s.idx_tup_read, t.idx_blks_hit + t.idx_blks_read
  from pg_stat_user_indexes as s
  join pg_statio_user_indexes as t on t.indexrelid = s.indexrelid
 where s.schemaname = 'orderlatch_data'
"""
# What is read to write a row: pages of the table and of its index.
TOUCHED = """
select t.relname, t.heap_blks_hit + t.heap_blks_read + t.idx_blks_hit + t.idx_blks_read
  from pg_statio_user_tables as t
 where t.schemaname = 'orderlatch_data'
"""
# Found where it is, as the functions find it, and written there.
WRITE = """
do $write$
declare
  v_version tid := (select t.ctid from orderlatch_data.{table} as t);
begin
  for v_nth in 1 .. {times} loop
    update orderlatch_data.{table} as t set {column} = t.{column} where t.ctid = v_version
    returning t.ctid into v_version;
  end loop;
end
$write$
"""
WRITTEN = {"account_agenda": "turn_no", "account_budgets": "tokens", "broker_limits": "said_at"}
MORE_ENTRIES = 10
# Every index has a level more by then, and its root is read, too.
MORE_PAGES = 3


@pytest.mark.every_major
@pytest.mark.parametrize("analyzed", ["never", "at rest", "while some wait"])
def test_a_life_reads_no_more_while_a_snapshot_keeps_what_is_dead(database: Database, analyzed: str) -> None:
    with database.connect() as session, database.connect() as old:
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000}')")
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        session.execute("update orderlatch_data.broker_reads set next_page_at = 'infinity'")
        lived = 0

        # autovacuum comes by whenever it likes
        def live(many: int, at_once: int) -> None:
            nonlocal lived
            for _ in range(many // at_once):
                propose(session, lived, at_once)
                if analyzed == "while some wait" and lived // AT_ONCE % 10 == 9:
                    session.execute("analyze")
                submit(session, worker, at_once)
                session.execute("select test_support.advance_clock('1 millisecond')")
                lived += at_once

        # a session plans at its first calls, with hardly a row there
        live(3, 1)
        session.execute("vacuum analyze")
        old.execute("begin isolation level repeatable read")
        old.execute("select count(*) from orderlatch_data.accounts")
        seen = []
        for between in (LIVES, BETWEEN):
            live(between, min(between, AT_ONCE))
            if analyzed != "never":
                session.execute("vacuum analyze")
            live(LIVES, 1)
            before = {index: tuple(read) for index, *read in counted(database, session, READ)}
            live(LIVES, 1)
            after = {index: tuple(read) for index, *read in counted(database, session, READ)}
            seen.append(
                {
                    index: tuple(
                        (late - early) / LIVES
                        for early, late in zip(before[index], after[index], strict=True)
                    )
                    for index in after
                }
            )
    early, late = seen
    grown = {
        index: (early[index], late[index])
        for index in early
        if late[index][0] > early[index][0] + MORE_ENTRIES
        or late[index][1] > 2 * early[index][1] + MORE_PAGES
    }
    assert not grown, f"entries and pages of an index that a life reads, and after {BETWEEN} more: {grown}"


@pytest.mark.every_major
@pytest.mark.parametrize("table", WRITTEN)
def test_a_row_is_written_as_cheaply_when_it_has_had_many_versions(database: Database, table: str) -> None:
    def touched() -> int:
        (read,) = (read for name, read in counted(database, session, TOUCHED) if name == table)
        return int(read)

    def pages(times: int) -> int:
        before = touched()
        session.execute(WRITE.format(table=table, column=WRITTEN[table], times=times).encode())
        return touched() - before

    with database.connect() as session, database.connect() as old:
        session.execute("select test.given_account()")
        old.execute("begin isolation level repeatable read")
        old.execute("select count(*) from orderlatch_data.accounts")
        early = pages(1000)
        pages(20_000)
        late = pages(1000)
    assert late < early + early // 20, f"{early} pages for 1,000 changes, and {late} after 20,000 more"
