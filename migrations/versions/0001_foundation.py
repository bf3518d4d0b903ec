"""Roles, schemas and the record of what is installed.

Roles belong to the whole server, so another database on it may have created them already: each is created
only when it is missing. The account that migrates becomes a member of `orderlatch_owner`, which owns
everything and cannot log in.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Hashes are taken over the UTF-8 bytes of texts; another encoding could not even hold every text.
ENCODING = """
do $encoding$
begin
  if current_setting('server_encoding') <> 'UTF8' then
    raise exception 'the database is encoded in %, not in UTF8', current_setting('server_encoding')
      using hint = 'create database ... encoding ''UTF8'' template template0';
  end if;
end
$encoding$;
"""

ROLES = """
do $roles$
begin
  if to_regrole('orderlatch_owner') is null then
    create role orderlatch_owner nologin;
  end if;
  if to_regrole('orderlatch_strategy') is null then
    create role orderlatch_strategy nologin;
  end if;
  if to_regrole('orderlatch_risk') is null then
    create role orderlatch_risk nologin;
  end if;
  if to_regrole('orderlatch_worker') is null then
    create role orderlatch_worker nologin;
  end if;
  if to_regrole('orderlatch_operator') is null then
    create role orderlatch_operator nologin;
  end if;
  if to_regrole('orderlatch_auditor') is null then
    create role orderlatch_auditor nologin;
  end if;
exception
  -- another database of this server installs at the same moment; its roles serve both
  when duplicate_object or unique_violation then
    raise exception 'roles are being created by another installation on this server: run migrate again';
end
$roles$;
grant orderlatch_owner to current_user;
"""

SCHEMAS = """
create schema if not exists orderlatch;
create schema if not exists orderlatch_data;
alter schema orderlatch owner to orderlatch_owner;
alter schema orderlatch_data owner to orderlatch_owner;
revoke all on schema orderlatch, orderlatch_data from public;
comment on schema orderlatch is
  'Orderlatch: the functions that strategies, risk engines, workers and operators call, and the views that '
  'people read.';
comment on schema orderlatch_data is
  'Orderlatch: tables, the clock and private helpers. No role but orderlatch_owner may enter.';
"""

# Whoever may take advisory locks could hold up trading. Only a superuser may change rights on functions of
# Postgres itself; where another role installs, the view orderlatch.stuck says that it could not be done.
ADVISORY_LOCKS = """
do $locks$
begin
  if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
    revoke execute on function
      pg_advisory_lock(bigint), pg_advisory_lock(integer, integer),
      pg_advisory_lock_shared(bigint), pg_advisory_lock_shared(integer, integer),
      pg_advisory_xact_lock(bigint), pg_advisory_xact_lock(integer, integer),
      pg_advisory_xact_lock_shared(bigint), pg_advisory_xact_lock_shared(integer, integer),
      pg_try_advisory_lock(bigint), pg_try_advisory_lock(integer, integer),
      pg_try_advisory_lock_shared(bigint), pg_try_advisory_lock_shared(integer, integer),
      pg_try_advisory_xact_lock(bigint), pg_try_advisory_xact_lock(integer, integer),
      pg_try_advisory_xact_lock_shared(bigint), pg_try_advisory_xact_lock_shared(integer, integer)
      from public;
    grant execute on function
      pg_advisory_lock(integer, integer),
      pg_advisory_xact_lock(bigint), pg_advisory_xact_lock(integer, integer),
      pg_try_advisory_xact_lock(integer, integer), pg_try_advisory_xact_lock_shared(integer, integer)
      to orderlatch_owner;
  end if;
end
$locks$;
"""

# How long a session has held a lock shows only to who may read its statistics.
SESSIONS = """
do $sessions$
begin
  if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
    grant pg_read_all_stats to orderlatch_owner;
  end if;
end
$sessions$;
"""

INSTALLED = """
create table orderlatch_data.sql_files (
  path text not null,
  checksum text not null,
  applied_at timestamptz not null,
  constraint sql_files_pkey primary key (path),
  constraint sql_files_checksum_is_sha256 check (checksum ~ '^[0-9a-f]{64}$')
);
comment on table orderlatch_data.sql_files is
  'The files of sql/ as they were last applied to this database; orderlatch check compares them with a '
  'checkout.';
comment on column orderlatch_data.sql_files.path is 'path below sql/, with forward slashes';
comment on column orderlatch_data.sql_files.checksum is 'sha256 of the file, lower-case hex';
comment on column orderlatch_data.sql_files.applied_at is 'when the file was applied';
create table orderlatch_data.sql_objects (
  object text not null,
  checksum text not null,
  constraint sql_objects_pkey primary key (object),
  constraint sql_objects_checksum_is_sha256 check (checksum ~ '^[0-9a-f]{64}$')
);
comment on table orderlatch_data.sql_objects is
  'Functions, views and triggers as the files of sql/ made them; orderlatch check finds what was changed by '
  'hand.';
comment on column orderlatch_data.sql_objects.object is
  'kind and full name, as pg_identify_object gives them';
comment on column orderlatch_data.sql_objects.checksum is
  'sha256 of definition, owner, rights and comment, lower-case hex';
"""


def upgrade() -> None:
    op.execute(ENCODING)
    op.execute(ROLES)
    op.execute(SCHEMAS)
    op.execute(ADVISORY_LOCKS)
    op.execute(SESSIONS)
    op.execute("set local role orderlatch_owner")
    op.execute(INSTALLED)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("drop table orderlatch_data.sql_files, orderlatch_data.sql_objects")
    op.execute("drop schema orderlatch cascade")
