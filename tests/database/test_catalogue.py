"""What the catalogue of a migrated database says about tables, rights, functions and the reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import reference

if TYPE_CHECKING:
    from tests.support.servers import Database
    from tests.support.sessions import Connect

DEPENDENT = """
select pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, 0)
from pg_depend as d
join pg_proc as p on p.oid = d.refobjid and d.refclassid = 'pg_proc'::regclass
where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  and d.classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass)
"""

UNCOMMENTED = """
select c.oid::regclass::text from pg_class as c
where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind in ('r', 'p', 'S')
  and obj_description(c.oid, 'pg_class') is null and c.relname <> 'alembic_version'
  -- the sequence of an identity column belongs to the column
  and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'i')
"""

CONSTRAINTS = """
select o.conrelid::regclass::text, o.conname, o.contype::text from pg_constraint as o
where o.connamespace = 'orderlatch_data'::regnamespace and o.contype in ('c', 'f', 'u', 'x')
"""

FOREIGN_OWNED = """
select pg_describe_object(d.classid, d.objid, 0) from pg_shdepend as d
join pg_database as b on b.oid = d.dbid and b.datname = current_database()
where d.deptype = 'o' and d.refobjid <> 'orderlatch_owner'::regrole
  and (pg_identify_object(d.classid, d.objid, 0)).schema in ('orderlatch', 'orderlatch_data')
"""

RIGHTS_ON_TABLES = """
select c.oid::regclass::text, a.grantee::regrole::text from pg_class as c
cross join aclexplode(c.relacl) as a
where c.relnamespace = 'orderlatch_data'::regnamespace and a.grantee <> c.relowner
"""

# Indexes that say the same, or of which one begins with all that another has.
REPEATED = """
select a.indexrelid::regclass::text, b.indexrelid::regclass::text from pg_index as a
join pg_class as c on c.oid = a.indrelid and c.relnamespace = 'orderlatch_data'::regnamespace
join pg_index as b on b.indrelid = a.indrelid and b.indexrelid <> a.indexrelid
where not a.indisunique and a.indexprs is null and b.indexprs is null
  and pg_get_expr(a.indpred, a.indrelid) is not distinct from pg_get_expr(b.indpred, b.indrelid)
  and starts_with(b.indkey::text || ' ', a.indkey::text || ' ')
  and starts_with(b.indoption::text || ' ', a.indoption::text || ' ')
"""

# Every function, trigger functions with each table that they serve and its transition tables.
CHECK = """
select p.oid::regprocedure::text || coalesce(' on ' || t.tgrelid::regclass::text, ''),
  'line ' || coalesce(f.lineno::text, '?'), f.level, f.message
from pg_proc as p
join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
left join pg_trigger as t on t.tgfoid = p.oid and not t.tgisinternal
cross join lateral plpgsql_check_function_tb(
  p.oid, coalesce(t.tgrelid, 0), fatal_errors => false, oldtable => t.tgoldtable, newtable => t.tgnewtable,
  performance_warnings => true, extra_warnings => true, security_warnings => true
) as f
where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
"""


def test_the_generated_reference_is_fresh(connect: Connect) -> None:
    for name, page in reference.render(connect()).items():
        assert (reference.DOCS / name).read_text() == page, f"docs/{name} is stale: make docs"


def test_tables_do_not_depend_on_functions(connect: Connect) -> None:
    assert connect().execute(DEPENDENT).fetchall() == []


def test_tables_are_commented(connect: Connect) -> None:
    assert connect().execute(UNCOMMENTED).fetchall() == []


def test_no_index_is_paid_for_twice(connect: Connect) -> None:
    assert connect().execute(REPEATED).fetchall() == []


def test_constraints_are_named_for_why_they_exist(connect: Connect) -> None:
    named = connect().execute(CONSTRAINTS).fetchall()
    assert named
    assert [row for row in named if re.search(r"_(check|fkey|key|excl)\d*$", row[1])] == []


def test_everything_belongs_to_the_owner(connect: Connect) -> None:
    assert connect().execute(FOREIGN_OWNED).fetchall() == []


def test_nobody_but_the_owner_has_a_right_on_a_table(connect: Connect) -> None:
    assert connect().execute(RIGHTS_ON_TABLES).fetchall() == []


def test_plpgsql_check_reports_nothing(database: Database, connect: Connect) -> None:
    if database.server.major != 15:
        pytest.skip("Debian has plpgsql_check for Postgres 15")
    session = connect()
    session.execute("create extension plpgsql_check")
    findings = [" ".join(row) for row in session.execute(CHECK)]
    assert not findings, "\n".join(findings)
