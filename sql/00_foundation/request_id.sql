-- A new request id: random, so that a restored database never issues one again that is still on the wire.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.new_request_id()
returns uuid
language plpgsql
volatile
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return gen_random_uuid();
end
$$;
revoke all on function orderlatch_data.new_request_id() from public;
comment on function orderlatch_data.new_request_id() is
  'A new random request id, the fencing token of one broker call. The simulator replaces it to repeat a '
  'run exactly.';
