-- The database's time, the only clock that Orderlatch reads. Tests replace the function; no setting bends it.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.clock()
returns timestamptz
language plpgsql
volatile
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return clock_timestamp();
end
$$;
revoke all on function orderlatch_data.clock() from public;
comment on function orderlatch_data.clock() is
  'The database''s time, read anew at each call. Every deadline and every recorded moment comes from here.';
