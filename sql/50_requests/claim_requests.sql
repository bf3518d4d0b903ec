-- Grants the right to make up to p_how_many broker calls, account by account, most urgent first.
-- Locks: worker, cluster, gate, granting, decisions: all try. Raises: OL101, OL102, OL131, OL132, OL301.
create or replace function orderlatch.claim_requests(
  p_worker_id integer, p_accounts text[], p_how_many integer
)
returns table (
  request_id uuid, account text, kind text, method text, path text, query jsonb, body text,
  send_within_ms integer, timeout_ms integer, ask_again_ms integer
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off -- it reads what is dead again and again; a plain scan marks it as it passes
set plan_cache_mode = force_generic_plan
as $$
declare
  v_claim record;
  v_visit record;
  v_queue integer[];
  v_shares integer[];
  v_again integer[];
  v_left integer := p_how_many;
  v_visits integer := 0;
begin
  v_claim := orderlatch_data.begin_claim(p_worker_id, p_accounts, p_how_many);
  v_queue := v_claim.queue;
  v_shares := v_claim.shares;
  -- a loop, because what one account has no use for goes to those that have; a bounded number of visits
  while cardinality(v_queue) > 0 and v_left > 0 and v_visits < 50 loop
    v_again := '{}';
    for v_visit in
      select v.account_id, v.granted, v.is_cut
        from orderlatch_data.visit_accounts(
               p_worker_id, v_queue, v_shares, v_left, 50 - v_visits, v_claim.gate_is_open, v_claim.gone
             ) as v
    loop
      return query select g.*, null::integer from unnest(v_visit.granted) as g;
      v_left := v_left - cardinality(v_visit.granted);
      v_visits := v_visits + 1;
      v_again := v_again || case when v_visit.is_cut then v_visit.account_id end;
    end loop;
    v_queue := array(
      select q.account_id
        from unnest(v_queue, v_shares) with ordinality as q(account_id, share, place)
       where q.share <= 0 or q.account_id = any (v_again)
       order by q.place
    );
    v_shares := array(
      select greatest(1, v_left / cardinality(v_queue)) from generate_subscripts(v_queue, 1) as n
    );
  end loop;
  return query
  select null::uuid, null, null, null, null, null::jsonb, null, null::integer, null::integer, a.ask_again_ms
    from orderlatch_data.ask_again_in(p_worker_id, p_accounts, v_visits >= 50) as n(ms)
   cross join least(n.ms, v_claim.hurry_ms) as a(ask_again_ms)
   where v_left > 0 and a.ask_again_ms is not null;
end
$$;
revoke all on function orderlatch.claim_requests(integer, text[], integer) from public;
grant execute on function orderlatch.claim_requests(integer, text[], integer) to orderlatch_worker;
comment on function orderlatch.claim_requests(integer, text[], integer) is
  'Grants up to p_how_many (1 to 1000) broker calls to a worker. p_accounts: for these of the accounts that '
  'it registered; null: for all of them. Each row is one HTTP call to make once: path below the account''s '
  'base URL, query as a JSON object of texts, body to be sent as it is, send_within_ms from before this '
  'call was made until the call begins, timeout_ms for the whole of it. At most one last row has only '
  'ask_again_ms: claim again after so many milliseconds. Accounts that another worker claims for at this '
  'moment are skipped. After a restart or a change of the cluster nothing is submitted before an account''s '
  'orders have been read. Raises OL101 worker_unknown, OL102 account_unknown, OL131 argument_invalid, OL132 '
  'isolation_unsupported, OL301 login_not_bound.';

-- Begins a claim: who asks, on what server, through which gate, and which accounts it is to visit.
-- Locks: worker, cluster, gate: all try. Raises: OL101, OL102, OL131, OL132, OL301.
create or replace function orderlatch_data.begin_claim(
  p_worker_id integer,
  p_accounts text[],
  p_how_many integer,
  out hurry_ms integer,
  out gate_is_open boolean,
  out gone integer[],
  out queue integer[],
  out shares integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_from timestamptz;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_claim(p_worker_id, p_accounts, p_how_many);
  perform orderlatch_data.make_durable();
  hurry_ms := case when not orderlatch_data.know_server() then 20 end; -- another session is noting it
  gate_is_open := orderlatch_data.try_enter_gate(0);
  v_from := orderlatch_data.answers_from(p_worker_id);
  gone := orderlatch_data.gone_workers(v_from);
  select array_agg(t.account_id order by t.place), array_agg(t.share order by t.place) into queue, shares
    from orderlatch_data.accounts_in_turn(p_worker_id, p_accounts, gone, p_how_many, v_from) as t
   where hurry_ms is null;
end
$$;
revoke all on function orderlatch_data.begin_claim(integer, text[], integer) from public;
comment on function orderlatch_data.begin_claim(integer, text[], integer) is
  'hurry_ms: when to come again because another session is noting the server that this is; nothing is '
  'granted before. gate_is_open: whether the gate of all accounts was entered. gone: workers whose '
  'unanswered requests are lost. queue, shares: see accounts_in_turn.';

-- Refuses a claim that makes no sense.
-- Locks: worker (try, shared). Raises: OL101, OL102, OL131, OL301.
create or replace function orderlatch_data.require_claim(
  p_worker_id integer,
  p_accounts text[],
  p_how_many integer
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_stranger text;
begin
  if p_how_many is null or p_how_many not between 1 and 1000 then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_how_many must be from 1 to 1000',
      detail = format('it is %s', coalesce(p_how_many::text, 'null'));
  end if;
  perform orderlatch_data.require_worker(p_worker_id);
  if p_accounts is null then
    return; -- an account that its login may not act for any more is passed over
  end if;
  select n.account into v_stranger
    from unnest(p_accounts) as n(account)
   where not exists (
     select 1
       from orderlatch_data.worker_accounts as c
       join orderlatch_data.accounts as a on a.account_id = c.account_id
      where c.worker_id = p_worker_id and a.account = n.account
   )
   order by n.account
   limit 1;
  if found then
    raise exception using
      errcode = 'OL102',
      message = format(
        'account_unknown: worker %s did not register for account %L', p_worker_id, left(v_stranger, 64)
      ),
      hint = 'Name it in the p_accounts of register_worker.';
  end if;
  -- a login may have been unbound since: it could not record what it was granted
  perform orderlatch_data.require_carrier(a)
     from orderlatch_data.accounts as a
    where a.account = any (p_accounts);
end
$$;
revoke all on function orderlatch_data.require_claim(integer, text[], integer) from public;
comment on function orderlatch_data.require_claim(integer, text[], integer) is
  'Passes a living worker, accounts that it registered and may still act for, and a number from 1 to 1000; '
  'else OL101, OL102, OL131 or OL301.';
