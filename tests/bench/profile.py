"""What a life costs inside the database: function by function, and statement by statement.

One session, one life at a time and in batches of 100, after it has planned everything. Functions: what
Postgres counts for each (`track_functions`), its own statements without those of functions that they call.
Statements: the profiler of plpgsql_check, on Debian's Postgres 15, with everything that they call; it makes
them slower, so they say where time goes and not how much of it there is.
"""

from __future__ import annotations

import psycopg

from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from tests.bench.lives import WARM_UP, warm_up
from tests.bench.orderlatch import Orderlatch, create_accounts
from tests.support.servers import PROFILER, Servers

LIVES = {1: 400, 100: 4000}
FUNCTIONS = 20
STATEMENTS = 30
BY_FUNCTION = """
select f.funcname, f.calls / %s::float, 1000 * f.self_time / %s
  from pg_stat_user_functions as f order by f.self_time desc limit %s
"""
BY_STATEMENT = """
select format('%%s, line %%s', p.proname, s.lineno), s.exec_stmts / %s::float, 1000 * s.total_time / %s
  from pg_proc as p
  join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
 cross join lateral plpgsql_profiler_function_statements_tb(p.oid) as s
 where p.pronamespace = 'orderlatch_data'::regnamespace
   and s.exec_stmts > 0
   and s.stmtname not in ('statement block', 'FOR over SELECT rows', 'IF', 'FOR with integer loop variable')
 order by s.total_time desc
 limit %s
"""


def main(size: Size) -> Figures:
    """Both profiles of both batches."""
    lives = {1: 100, 100: 1000} if size.quick else LIVES
    by_batch: dict[str, Figures] = {}
    for batch, many in lives.items():
        url = fresh_database()
        cpu_us, functions = profiled(url, batch, many, BY_FUNCTION, FUNCTIONS)
        by_batch[str(batch)] = {"cpu_us": cpu_us, "functions": named(functions)}
        print(f"  batches of {batch}: {cpu_us:,.0f} us of CPU a life in the database")
        table(("function", "calls a life", "own us a life"), [(str(a), b, c) for a, b, c in functions])
    statements = by_statement(lives[1])
    table(("statement", "times a life", "us a life, with all it calls"), statements)
    return {
        "lives": {str(batch): many for batch, many in lives.items()},
        "batches": by_batch,
        "statements": named(statements),
    }


def named(rows: list[tuple[str, float, float]]) -> dict[str, Figures]:
    """By name: how often a life, and microseconds."""
    return {name: {"times": times, "us": us} for name, times, us in rows}


def by_statement(lives: int) -> list[tuple[str, float, float]]:
    """The dearest statements of a life, one at a time."""
    servers = Servers((15,))
    try:
        with servers.start(15, migrated=True, **PROFILER).database() as database:
            with database.connect() as session:
                session.execute("create extension plpgsql_check")
            _, rows = profiled(
                database.url, 1, lives, BY_STATEMENT, STATEMENTS, "select plpgsql_profiler_reset_all()"
            )
    finally:
        servers.stop_all()
    return rows


def profiled(
    url: str, batch: int, lives: int, question: str, rows: int, begin: str = "select pg_stat_reset()"
) -> tuple[float, list[tuple[str, float, float]]]:
    """Live in one session; microseconds of its CPU for each life, and the answer to the question."""
    layout = Orderlatch()
    with (
        psycopg.connect(url, autocommit=True) as reader,
        psycopg.connect(url, autocommit=True, prepare_threshold=1) as session,
    ):
        create_accounts(reader, ["bench-0"])
        layout.enter(session, 0)
        warm_up(session, layout, 0, batch, 0)
        used = cpu_s(session.info.backend_pid)
        first = WARM_UP * batch
        for number in range(first, first + lives, batch):
            layout.live(session, 0, number, batch)
        used = cpu_s(session.info.backend_pid) - used
        session.execute("set track_functions = 'all'")
        reader.execute(begin)
        first += lives
        for number in range(first, first + lives, batch):
            layout.live(session, 0, number, batch)
        session.execute("select pg_stat_force_next_flush()")
        session.execute("select 1")
        return 1e6 * used / lives, reader.execute(question.encode(), [lives, lives, rows]).fetchall()
