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
declare
  -- in 4,096ths of a millisecond: 12 hex digits are milliseconds, 3 more are the rest
  v_time constant text := lpad(
    to_hex((4096000 * date_part('epoch', orderlatch_data.clock()))::bigint), 15, '0'
  );
begin
  return (left(v_time, 12) || '7' || right(v_time, 3) || substr(gen_random_uuid()::text, 20))::uuid;
end
$$;
revoke all on function orderlatch_data.new_request_id() from public;
comment on function orderlatch_data.new_request_id() is
  'A new request id, the fencing token of one broker call: a uuid of version 7, its time to the microsecond '
  'and 62 random bits. New ones lie beside each other in their indexes, however many old ones there are; '
  'nobody reads the time. The simulator replaces the function to repeat a run exactly.';
