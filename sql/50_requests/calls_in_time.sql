-- The calls that may still be answered in time: how many a worker makes, and which workers are gone.
-- Locks: worker (try, shared). Raises: none.
create or replace function orderlatch_data.calls_in_time(
  p_worker_id integer,
  p_from timestamptz,
  out account_ids integer[],
  out calls integer[],
  out gone integer[],
  out left_ids integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_alive integer[] := '{}'::integer[];
  v_held record;
begin
  account_ids := '{}';
  calls := '{}';
  gone := '{}';
  left_ids := '{}';
  if p_from is null or p_from = 'infinity' then
    return; -- nothing is open
  end if;
  for v_held in
    select r.worker_id, r.account_id, count(*)::integer as calls
      from orderlatch_data.open_requests as r
     where r.answer_by > v_now and r.answer_by >= p_from
     group by r.worker_id, r.account_id
  loop
    if v_held.worker_id = p_worker_id then
      account_ids := account_ids || v_held.account_id;
      calls := calls || v_held.calls;
    end if;
    -- just after the server started nobody has had time to connect again
    continue when v_held.worker_id = any (v_alive)
      or v_now < pg_postmaster_start_time() + interval '10 seconds';
    if v_held.worker_id = any (gone) then
      left_ids := left_ids || v_held.account_id;
    elsif orderlatch_data.worker_is_gone(v_held.worker_id) then
      gone := gone || v_held.worker_id;
      left_ids := left_ids || v_held.account_id;
    else
      v_alive := v_alive || v_held.worker_id;
    end if;
  end loop;
end
$$;
revoke all on function orderlatch_data.calls_in_time(integer, timestamptz) from public;
comment on function orderlatch_data.calls_in_time(integer, timestamptz) is
  'p_from: earlier than that none of those in question is to be answered; what is dead there is passed over; '
  'infinity or null: none is open. account_ids, calls: how many calls of each account the worker makes. '
  'gone: workers that hold such requests and whose lives have ended. left_ids: accounts that theirs are of. '
  'What is past its answer_by is lost, whoever holds it.';
