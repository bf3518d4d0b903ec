"""What statements have read and written so far, table by table, as Postgres counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from tests.support.servers import Database

READ = """
select s.relname, s.seq_tup_read + coalesce(s.idx_tup_fetch, 0), s.n_tup_ins + s.n_tup_upd + s.n_tup_del
from pg_stat_user_tables as s where s.schemaname = 'orderlatch_data'
"""


def counted(database: Database, session: psycopg.Connection, question: str) -> list[TupleRow]:
    """What Postgres' statistics say, with all that the session has done so far."""
    # a session tells what it has done once a second at most, unless it is told to
    session.execute("select pg_stat_force_next_flush()")
    session.execute("select 1")
    with database.connect() as other:
        return other.execute(question.encode()).fetchall()


def rows_touched(database: Database, session: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """Rows read and rows written of each table so far, those of the session included."""
    return {str(table): (read, written) for table, read, written in counted(database, session, READ)}


def rows_since(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """The difference, without the tables that nothing has touched."""
    return {
        table: (read - before[table][0], written - before[table][1])
        for table, (read, written) in after.items()
        if (read, written) != before[table]
    }
