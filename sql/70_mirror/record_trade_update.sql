-- Records a message of the trade_updates stream, unread by the worker. It makes things fast, never correct.
-- Locks: account (judging, answering), decision. Raises: OL101, OL102, OL131, OL132, OL201, OL202, OL301.
create or replace function orderlatch.record_trade_update(
  p_worker_id integer,
  p_account text,
  p_message bytea
)
returns text
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set jit = off
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_account orderlatch_data.accounts;
  v_update jsonb;
  v_meaning text;
begin
  perform orderlatch_data.require_read_committed();
  v_account := orderlatch_data.find_streamed_account(p_worker_id, p_account);
  if p_message is null or octet_length(p_message) > 8388608 then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_message must be a message of at most 8 MiB';
  end if;
  v_update := orderlatch_data.read_json(p_message);
  if v_update ->> 'stream' is distinct from 'trade_updates' then
    v_meaning := case when jsonb_typeof(v_update) = 'object' then 'not_an_update' else 'unreadable' end;
  elsif not orderlatch_data.is_order(v_update -> 'data' -> 'order') then
    v_meaning := 'unreadable';
  elsif not orderlatch_data.is_verified(p_worker_id, v_account.account_id) then
    v_meaning := 'not_verified';
  else
    v_meaning := orderlatch_data.apply_trade_update(v_account, v_update -> 'data');
  end if;
  perform orderlatch_data.count_update(v_account.account_id, p_worker_id, v_meaning);
  return v_meaning;
end
$$;
revoke all on function orderlatch.record_trade_update(integer, text, bytea) from public;
grant execute on function orderlatch.record_trade_update(integer, text, bytea) to orderlatch_worker;
comment on function orderlatch.record_trade_update(integer, text, bytea) is
  'Records one message of an account''s trade_updates stream, as it came. p_worker_id: the life of the '
  'worker that hears it. p_message: the raw bytes of the frame, at most 8 MiB. Returns order_updated, or '
  'why nothing was done: not_an_update (of another stream), unreadable, not_verified (this life''s keys '
  'are not proved to be the account''s yet). Fills are not taken from it: it makes list_fills due. Raises '
  'OL101 worker_unknown, OL102 account_unknown, OL131 argument_invalid, OL132, OL201 account_busy, OL202 '
  'decision_busy, OL301 login_not_bound.';

-- Records that the stream of an account is heard, or no more.
-- Locks: none. Raises: OL101, OL102, OL131, OL301.
create or replace function orderlatch.record_stream_state(
  p_worker_id integer,
  p_account text,
  p_connected boolean
)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts;
  v_now constant timestamptz := orderlatch_data.clock();
begin
  v_account := orderlatch_data.find_streamed_account(p_worker_id, p_account);
  if p_connected is null then
    raise exception using errcode = 'OL131', message = 'argument_invalid: p_connected must be true or false';
  end if;
  insert into orderlatch_data.stream_states as s (account_id, worker_id, connected_at, lost_at)
  values (
    v_account.account_id, p_worker_id, case when p_connected then v_now end,
    case when not p_connected then v_now end
  )
  on conflict on constraint stream_states_pkey do update
    set connected_at = case when p_connected then v_now else s.connected_at end,
        lost_at = case when p_connected then null else v_now end;
  if p_connected then
    -- nothing is replayed: what happened while nobody listened only a read can tell
    perform orderlatch_data.wish_reads(
      v_account.account_id, '{orders,open_orders,fills}', 'the stream was connected'
    );
    perform pg_notify('orderlatch', v_account.account);
  end if;
end
$$;
revoke all on function orderlatch.record_stream_state(integer, text, boolean) from public;
grant execute on function orderlatch.record_stream_state(integer, text, boolean) to orderlatch_worker;
comment on function orderlatch.record_stream_state(integer, text, boolean) is
  'Records that a life of a worker began (true) or ceased (false) to hear the trade_updates stream of an '
  'account. Each beginning makes one reconciliation due. Raises OL101 worker_unknown, OL102 '
  'account_unknown, OL131 argument_invalid, OL301 login_not_bound.';

-- Finds the account of a stream for the worker that hears it.
-- Locks: worker (try, shared). Raises: OL101 worker_unknown, OL102 account_unknown, OL301 login_not_bound.
create or replace function orderlatch_data.find_streamed_account(p_worker_id integer, p_account text)
returns orderlatch_data.accounts
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_worker(p_worker_id);
  perform orderlatch_data.require_carrier(v_account);
  return v_account;
end
$$;
revoke all on function orderlatch_data.find_streamed_account(integer, text) from public;
comment on function orderlatch_data.find_streamed_account(integer, text) is
  'The account of a name, for a living worker whose login may carry it.';

-- Counts a message of the stream.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.count_update(
  p_account_id integer,
  p_worker_id integer,
  p_meaning text
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.stream_states as s
     set updates = s.updates + case when p_meaning = 'order_updated' then 1 else 0 end,
         unreadable = s.unreadable + case when p_meaning = 'unreadable' then 1 else 0 end,
         last_update_at = orderlatch_data.clock()
   where s.ctid = (
     -- a figure for people: nobody waits for it
     select t.ctid
       from orderlatch_data.stream_states as t
      where t.account_id = p_account_id and t.worker_id = p_worker_id
        for update skip locked
   )
$$;
revoke all on function orderlatch_data.count_update(integer, integer, text) from public;
comment on function orderlatch_data.count_update(integer, integer, text) is
  'Notes when the stream was last heard, and how many of its messages could be used or not be understood.';
