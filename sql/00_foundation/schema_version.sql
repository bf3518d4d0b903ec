-- The version of the functions that workers call; a worker refuses a version that it does not speak.
-- Locks: none. Raises: none.
create or replace function orderlatch.schema_version()
returns integer
language sql
immutable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  select 1
$$;
revoke all on function orderlatch.schema_version() from public;
grant execute on function orderlatch.schema_version() to
  orderlatch_strategy, orderlatch_risk, orderlatch_worker, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.schema_version() is
  'Version of the interface between database and workers. It grows by one when a worker of the version '
  'before could not work any more.';
