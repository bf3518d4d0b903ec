"""Applying sql/: the files are the whole truth of every function, view and trigger.

They are applied together in one transaction. What they made is remembered by checksum, so a change by hand
is found, and what no file makes any more is dropped. See docs/decisions/installing.md.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import class_row, scalar_row

from worker import OrderlatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Of the transactions that install, whatever a role or a database has set.
SETTINGS = {
    # a table that a long transaction holds makes migrate give up rather than queue everybody behind itself
    "lock_timeout": "10s",
    # how Postgres reads the files, and writes what they made
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "intervalstyle": "postgres",
}

KNOWN_FILES = "select f.path, f.checksum from orderlatch_data.sql_files as f"
KNOWN_OBJECTS = "select o.object, o.checksum from orderlatch_data.sql_objects as o"

# Everything that the files make. The version of an object changes when it is replaced; a view is its rule.
# Rights one by one, with those that an owner has by default, as a dump does not tell default from granted.
OBJECTS = """
select i.type as kind, i.identity, i.type || ' ' || i.identity as name,
  encode(sha256(convert_to(concat_ws(E'\\n', d.definition, a.rights), 'UTF8')), 'hex') as checksum,
  d.version
from (
  select 'pg_proc'::regclass as class_id, p.oid as object_id, p.ctid::text as version,
    coalesce(p.proacl, acldefault('f', p.proowner)) as acl, concat_ws(E'\\n',
    pg_get_functiondef(p.oid), p.proowner::regrole, obj_description(p.oid, 'pg_proc')) as definition
  from pg_proc as p
  where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace) and p.prokind <> 'a'
  union all
  select 'pg_class'::regclass, c.oid, r.ctid::text, coalesce(c.relacl, acldefault('r', c.relowner)),
    concat_ws(E'\\n',
    pg_get_viewdef(c.oid), c.reloptions, c.relowner::regrole, obj_description(c.oid, 'pg_class'))
  from pg_class as c
  join pg_rewrite as r on r.ev_class = c.oid and r.rulename = '_RETURN'
  where c.relnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  union all
  select 'pg_trigger'::regclass, t.oid, t.ctid::text, null, concat_ws(E'\\n',
    pg_get_triggerdef(t.oid), 'enabled: ' || t.tgenabled::text, obj_description(t.oid, 'pg_trigger'))
  from pg_trigger as t
  join pg_class as c on c.oid = t.tgrelid
  where c.relnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace) and not t.tgisinternal
) as d
cross join lateral (
  select string_agg(e.entry, ', ' order by e.entry collate "C")
  from aclexplode(d.acl) as r
  cross join lateral concat_ws(' ', r.grantee::regrole, r.privilege_type, r.is_grantable) as e (entry)
) as a (rights)
cross join pg_identify_object(d.class_id, d.object_id, 0) as i
order by name
"""

# Rights outlive the file that granted them, so they are taken from all of these before the files grant anew.
GRANTEES = """
select string_agg(distinct case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end, ', ')
from (
  select p.proacl, p.proowner from pg_proc as p
  where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  union all
  select c.relacl, c.relowner from pg_class as c
  where c.relnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  union all
  select s.nspacl, s.nspowner from pg_namespace as s where s.nspname in ('orderlatch', 'orderlatch_data')
) as o (acl, owner)
cross join aclexplode(o.acl) as a
left join pg_roles as r on r.oid = a.grantee
where a.grantee <> o.owner
"""


class InstallError(OrderlatchError):
    """The database could not be brought up to this checkout; the step that failed has left nothing behind."""


@dataclass(frozen=True, slots=True)
class File:
    """One file below sql/."""

    path: str
    content: bytes

    @property
    def checksum(self) -> str:
        """The file's sha256, as kept in sql_files."""
        return hashlib.sha256(self.content).hexdigest()

    def apply(self, connection: psycopg.Connection) -> None:
        """Send the raw bytes without parameters: the one way in which Postgres sees the file as it is."""
        try:
            connection.execute(self.content)
        except psycopg.Error as error:
            raise FileError(self, error) from error


@dataclass(frozen=True, slots=True)
class Object:
    """A function, view or trigger in the database."""

    kind: str
    identity: str
    name: str
    checksum: str
    version: str


class FileError(InstallError):
    """Postgres refused a file of sql/."""

    def __init__(self, file: File, error: psycopg.Error) -> None:
        diagnosis = error.diag
        position = int(diagnosis.statement_position or 0)
        line = file.content.decode()[:position].count("\n") + 1
        parts = (diagnosis.message_primary or str(error), diagnosis.message_detail, diagnosis.context)
        super().__init__(f"sql/{file.path}:{line}: " + "\n  ".join(part for part in parts if part))
        # Postgres replaces no function by one with another result, and no view by one with fewer columns.
        self.cannot_replace = isinstance(
            error, psycopg.errors.InvalidFunctionDefinition | psycopg.errors.InvalidTableDefinition
        )


def read_files(directory: Path) -> list[File]:
    """The files of sql/ in the order in which they are applied: folders, then names."""
    paths = (path.relative_to(directory) for path in directory.rglob("*.sql"))
    ordered = sorted(paths, key=lambda path: path.parts)
    return [File(path.as_posix(), (directory / path).read_bytes()) for path in ordered]


def differences(connection: psycopg.Connection, files: list[File]) -> list[str]:
    """What is not as the files, when last applied, made it: one line for each file and object."""
    with installing(connection):
        known_files: dict[str, str] = dict(connection.execute(KNOWN_FILES).fetchall())
        known_objects: dict[str, str] = dict(connection.execute(KNOWN_OBJECTS).fetchall())
        found_objects = {found.name: found.checksum for found in fetch_objects(connection)}
    return [
        *compare("sql/", known_files, {file.path: file.checksum for file in files}, "not applied", "gone"),
        *compare("", known_objects, found_objects, "made by no file", "dropped by hand"),
    ]


def compare(
    prefix: str, known: Mapping[str, str], found: Mapping[str, str], unknown: str, missing: str
) -> Iterator[str]:
    """Compare checksums recorded in the database with those of what is there."""
    for name in sorted(known.keys() | found.keys()):
        if name not in known:
            yield f"{prefix}{name}: {unknown}"
        elif name not in found:
            yield f"{prefix}{name}: {missing}"
        elif known[name] != found[name]:
            yield f"{prefix}{name}: changed since it was applied"


def apply(connection: psycopg.Connection, files: list[File], *, anew: bool = False) -> None:
    """Apply all files in one transaction, and drop what none of them makes any more.

    Objects are replaced in place, so running sessions and views of other schemas keep working; anew, they
    are dropped first.
    """
    with installing(connection):
        if anew:
            drop(connection, fetch_objects(connection))
        if grantees := connection.cursor(row_factory=scalar_row).execute(GRANTEES).fetchone():
            for kind in ("schema", "all routines in schema", "all tables in schema"):
                revoke = f"revoke all on {kind} orderlatch, orderlatch_data from {grantees}"
                connection.execute(revoke.encode())
        before = {found.name: found.version for found in fetch_objects(connection)}
        # Twice, because a body may name a function of a later file: first all are made, then all are checked.
        for check in ("off", "on"):
            connection.execute(f"set local check_function_bodies = {check}".encode())
            for file in files:
                file.apply(connection)
        after = fetch_objects(connection)
        drop(connection, [found for found in after if found.version == before.get(found.name)])
        record(connection, files)


def drop(connection: psycopg.Connection, objects: list[Object]) -> None:
    """Drop objects; never with cascade, because what depends on them from outside is not ours."""
    identities: dict[str, list[str]] = {"trigger": [], "view": [], "function": [], "procedure": []}
    for doomed in objects:
        identities[doomed.kind].append(doomed.identity)
    for identity in identities["trigger"]:
        connection.execute(f"drop trigger {identity}".encode())
    # Views may need each other, and functions too: each kind goes in one statement.
    for kind in ("view", "function", "procedure"):
        if identities[kind]:
            connection.execute(f"drop {kind} {', '.join(identities[kind])}".encode())


def record(connection: psycopg.Connection, files: list[File]) -> None:
    """Remember what was applied and what it made."""
    connection.execute("delete from orderlatch_data.sql_files")
    connection.execute("delete from orderlatch_data.sql_objects")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into orderlatch_data.sql_files (path, checksum, applied_at) values (%s, %s, now())",
            [(file.path, file.checksum) for file in files],
        )
        cursor.executemany(
            "insert into orderlatch_data.sql_objects (object, checksum) values (%s, %s)",
            [(found.name, found.checksum) for found in fetch_objects(connection)],
        )


@contextmanager
def installing(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction as the owner, in which texts mean the same whoever connects, and waits end."""
    try:
        with connection.transaction():
            connection.execute("set local role orderlatch_owner")
            connection.execute("set local search_path = pg_catalog, pg_temp")
            connection.execute("set local plpgsql.extra_errors = 'all'")
            for setting, value in SETTINGS.items():
                connection.execute(f"set local {setting} = '{value}'".encode())
            yield
    except psycopg.Error as error:
        raise InstallError(f"sql/ could not be applied or compared: {error}") from error


def fetch_objects(connection: psycopg.Connection) -> list[Object]:
    """Every function, view and trigger of the two schemas."""
    return connection.cursor(row_factory=class_row(Object)).execute(OBJECTS).fetchall()
