-- Whether a decision in this status has settled.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_final(p_status text)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_status in ('submitted', 'rejected', 'refused', 'withdrawn', 'lapsed');
end
$$;
revoke all on function orderlatch_data.is_final(text) from public;
comment on function orderlatch_data.is_final(text) is
  'Whether a decision of this status has settled: submitted, rejected, refused, withdrawn or lapsed.';
