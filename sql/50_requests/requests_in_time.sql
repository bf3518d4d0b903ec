-- Workers that hold requests and whose lives have ended.
-- Locks: worker (try, shared). Raises: none.
create or replace function orderlatch_data.gone_workers(p_from timestamptz default '-infinity')
returns integer[]
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select h.worker_id
      from (
        select distinct r.worker_id from orderlatch_data.requests_in_time(p_from) as r
      ) as h
       -- just after the server started nobody has had time to connect again
     where pg_postmaster_start_time() + interval '10 seconds' <= orderlatch_data.clock()
       and orderlatch_data.worker_is_gone(h.worker_id)
  )
$$;
revoke all on function orderlatch_data.gone_workers(timestamptz) from public;
comment on function orderlatch_data.gone_workers(timestamptz) is
  'Lives of workers that have requests which may still be answered, and do not hold their lock any more. '
  'p_from: as of requests_in_time.';

-- Where the open requests of a worker's accounts begin.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.answers_from(p_worker_id integer)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select 1 from orderlatch_data.account_wakes as w) then
    return '-infinity'::timestamptz; -- see calls_under_way
  end if;
  return (
    select min(g.answers_from)
      from orderlatch_data.agenda_of(array(
             select c.account_id from orderlatch_data.worker_accounts as c where c.worker_id = p_worker_id
           )) as g
  );
end
$$;
revoke all on function orderlatch_data.answers_from(integer) from public;
comment on function orderlatch_data.answers_from(integer) is
  'No open request of any of them is to be answered earlier, whichever worker made it.';

-- The open requests that may still be answered in time.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.requests_in_time(p_from timestamptz)
returns table (worker_id integer, account_id integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return query
  select r.worker_id, r.account_id
    from orderlatch_data.open_requests as r
   where r.answer_by > v_now and r.answer_by >= p_from;
end
$$;
revoke all on function orderlatch_data.requests_in_time(timestamptz) from public;
comment on function orderlatch_data.requests_in_time(timestamptz) is
  'Whose calls are under way. What is past its answer_by is lost, whoever holds it. p_from: earlier than '
  'that none of those in question is to be answered; what is dead there is passed over.';
