"""Installing as the owner of a database who is no superuser, on a server that has never seen Orderlatch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from worker.applier import read_files
from worker.installer import ROOT, check, migrate

if TYPE_CHECKING:
    from tests.support.servers import TestServer

pytestmark = pytest.mark.every_major

FILES = read_files(ROOT / "sql")
ADVISORY_RIGHTS = """
select p.oid::regprocedure::text, has_function_privilege('public', p.oid, 'execute'),
       has_function_privilege('orderlatch_owner', p.oid, 'execute')
  from pg_proc as p
 where p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ '^pg_(try_)?advisory'
 order by 1
"""


def test_a_database_owner_with_createrole_installs_and_upgrades(bare_server: TestServer) -> None:
    bare_server.execute(
        "create role owner_of_trades login createrole", "create database trades owner owner_of_trades"
    )
    url = bare_server.url("trades", "owner_of_trades")
    said: list[str] = []
    migrate(url, FILES, said.append)
    assert said[-1] == f"migrate: applied {len(FILES)} files"
    migrate(url, FILES[:-1], said.append)
    migrate(url, FILES, said.append)
    assert said[-1] == f"migrate: applied {len(FILES)} files"
    with psycopg.connect(url) as connection:
        query = "select r.rolsuper, r.rolcanlogin from pg_roles as r where r.rolname = 'orderlatch_owner'"
        assert connection.execute(query).fetchone() == (False, False)
        assert connection.execute("select orderlatch.schema_version()").fetchone() == (1,)
        missing = connection.execute("select s.what from orderlatch.stuck as s order by s.what").fetchall()
        assert missing == [("advisory locks",), ("lock times",)]
        gauge = "select m.value from orderlatch.metrics as m where m.name = 'orderlatch_stuck'"
        assert connection.execute(gauge).fetchone() == (0.0,), "nothing is stuck for that"


def test_what_was_left_out_is_made_up_for_by_what_the_runbook_says(bare_server: TestServer) -> None:
    bare_server.execute("create role owner_of_trades login createrole")
    bare_server.execute("create database trades owner owner_of_trades", "create database others")
    url = bare_server.url("trades", "owner_of_trades")
    migrate(url, FILES, lambda _: None)
    page = (ROOT / "docs" / "runbooks" / "install.md").read_text()
    (typed,) = re.findall(r"^```sql as=postgres\n(begin;.*?)^```$", page, re.MULTILINE | re.DOTALL)
    with psycopg.connect(bare_server.url("trades"), autocommit=True) as superuser:
        superuser.execute(typed.encode())
        assert superuser.execute("select s.what from orderlatch.stuck as s").fetchall() == []
        made_up = superuser.execute(ADVISORY_RIGHTS).fetchall()
    migrate(url, FILES[:-1], lambda _: None)
    migrate(bare_server.url("others"), FILES, lambda _: None)
    with psycopg.connect(bare_server.url("others")) as superuser:
        assert superuser.execute(ADVISORY_RIGHTS).fetchall() == made_up


def test_a_member_of_the_owner_upgrades_what_a_superuser_has_installed(bare_server: TestServer) -> None:
    bare_server.execute("create database trades")
    said: list[str] = []
    migrate(bare_server.url("trades"), FILES, said.append)
    bare_server.execute("create role keeper_of_trades login in role orderlatch_owner")
    url = bare_server.url("trades", "keeper_of_trades")
    migrate(url, FILES, said.append)
    assert said[-1].startswith("migrate: nothing to do")
    migrate(url, FILES[:-1], said.append)
    migrate(url, FILES, said.append)
    assert said[-1] == f"migrate: applied {len(FILES)} files"
    assert check(url, FILES) == []


def test_an_owner_without_createrole_is_told_what_is_missing(bare_server: TestServer) -> None:
    bare_server.execute("create role owner_of_trades login", "create database trades owner owner_of_trades")
    with pytest.raises(Exception, match=r"a revision failed: permission denied to create role"):
        migrate(bare_server.url("trades", "owner_of_trades"), FILES, lambda _: None)
