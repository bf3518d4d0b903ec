"""A plugin for pytest: servers profile PL/pgSQL, and what each database has executed is added up."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.support import servers
from tests.support.servers import TEMPLATE, Database, TestServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# What ended in an error is counted with the rest, and besides.
EXECUTED = """
select n.nspname || '.' || p.proname, s.stmtid, s.parent_stmtid, s.parent_note, s.lineno, s.stmtname,
       s.exec_stmts
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace and n.nspname in ('orderlatch', 'orderlatch_data')
join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
cross join lateral plpgsql_profiler_function_statements_tb(p.oid) as s
"""
Statement = tuple[str, int, int | None, str | None, int, str]
_counts: dict[Statement, int] = defaultdict(int)
_prepare, _database = TestServer.prepare_template, TestServer.database

servers.SETTINGS.update(servers.PROFILER)


def prepare_template(self: TestServer) -> None:
    """Prepare the template, with what reads the profiles."""
    _prepare(self)
    with psycopg.connect(self.url(TEMPLATE), autocommit=True) as connection:
        connection.execute("create extension plpgsql_check")


@contextmanager
def database(self: TestServer, template: str = TEMPLATE) -> Iterator[Database]:
    """A clone; before it is dropped its profiles are read, and their memory is given back."""
    with _database(self, template) as clone:
        try:
            yield clone
        finally:
            if template == TEMPLATE:
                with clone.connect() as connection:
                    for *statement, count in connection.execute(EXECUTED).fetchall():
                        name, number, parent, note, line, kind = statement
                        _counts[name, number, parent, note, line, kind] += count
                    connection.execute("select plpgsql_profiler_reset_all()")


TestServer.prepare_template = prepare_template  # type: ignore[method-assign]
TestServer.database = database  # type: ignore[method-assign]


def pytest_sessionfinish(session: pytest.Session) -> None:
    del session
    rows = [[*statement, count] for statement, count in sorted(_counts.items(), key=str)]
    Path(os.environ["ORDERLATCH_COVERAGE"]).write_text(json.dumps(rows))
