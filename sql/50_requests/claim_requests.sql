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
  v_round record;
  v_queue integer[];
  v_shares integer[];
  v_left integer := p_how_many;
  v_visits integer := 0;
begin
  v_claim := orderlatch_data.begin_claim(p_worker_id, p_accounts, p_how_many);
  v_queue := v_claim.queue;
  v_shares := v_claim.shares;
  -- a loop, because what one account has no use for goes to those that have; a bounded number of visits
  while cardinality(v_queue) > 0 and v_visits < 50 loop
    v_round := orderlatch_data.visit_accounts(
      p_worker_id, v_queue, v_shares, v_left, 50 - v_visits, v_claim.gate_is_open, v_claim.gone,
      v_claim.alone, v_claim.woken
    );
    foreach request_id, account, kind, method, path, query, body, send_within_ms, timeout_ms
      in array v_round.granted
    loop
      return next;
    end loop;
    v_left := v_left - cardinality(v_round.granted);
    v_visits := v_visits + v_round.visits;
    exit when v_left <= 0 or (v_round.cut_ids = '{}' and 0 < all (v_shares));
    v_queue := array(
      select q.account_id
        from unnest(v_queue, v_shares) with ordinality as q(account_id, share, place)
       where q.share <= 0 or q.account_id = any (v_round.cut_ids)
       order by q.place
    );
    v_shares := array_fill(
      greatest(1, v_left / greatest(1, cardinality(v_queue))), array[cardinality(v_queue)]
    );
  end loop;
  if v_left > 0 then
    ask_again_ms := least(
      orderlatch_data.ask_again_in(p_worker_id, v_claim.only_ids, v_visits >= 50), v_claim.hurry_ms
    );
    if ask_again_ms is not null then
      -- a row of its own, with nothing of the call before it
      request_id := null; account := null; kind := null; method := null; path := null; query := null;
      body := null; send_within_ms := null; timeout_ms := null;
      return next;
    end if;
  end if;
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
  out only_ids integer[],
  out gone integer[],
  out queue integer[],
  out shares integer[],
  out alone integer[],
  out woken integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_due record;
  v_calls record;
  v_for_anyone integer[];
begin
  -- in expressions, as a statement costs more than what it calls: none of these returns null
  if orderlatch_data.require_read_committed() is null or (p_how_many between 1 and 1000) is not true then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_how_many must be from 1 to 1000',
      detail = format('it is %s', coalesce(p_how_many::text, 'null'));
  end if;
  if orderlatch_data.require_worker(p_worker_id) is null or orderlatch_data.make_durable() is null then
    return;
  end if;
  if p_accounts is not null then
    only_ids := orderlatch_data.carried_accounts(p_worker_id, p_accounts);
  end if;
  if not orderlatch_data.is_known_server() and not orderlatch_data.know_server() then
    hurry_ms := 20; -- another session is noting it
  end if;
  gate_is_open := orderlatch_data.try_enter_gate(0);
  if hurry_ms is not null then
    return;
  end if;
  v_due := orderlatch_data.due_accounts(p_worker_id, only_ids, '{}');
  v_calls := orderlatch_data.calls_in_time(p_worker_id, v_due.answers_from);
  v_for_anyone := v_calls.left_ids;
  if v_due.some_unverified then
    v_for_anyone := v_for_anyone || orderlatch_data.identities_due(p_worker_id);
  end if;
  if v_for_anyone <> '{}' then
    v_due := orderlatch_data.due_accounts(p_worker_id, only_ids, v_for_anyone);
  end if;
  gone := v_calls.gone;
  queue := v_due.account_ids;
  shares := orderlatch_data.deal_slots(queue, p_how_many, v_calls.account_ids, v_calls.calls);
  alone := v_due.alone;
  woken := v_due.woken;
end
$$;
revoke all on function orderlatch_data.begin_claim(integer, text[], integer) from public;
comment on function orderlatch_data.begin_claim(integer, text[], integer) is
  'hurry_ms: when to come again because another session is noting the server that this is; nothing is '
  'granted before. gate_is_open: whether the gate of all accounts was entered. only_ids: the accounts of '
  'p_accounts. gone: see calls_in_time. queue, alone, woken: see due_accounts. shares: see deal_slots.';

-- Finds accounts that a worker registered, by their names.
-- Locks: none. Raises: OL102 account_unknown, OL301 login_not_bound.
create or replace function orderlatch_data.carried_accounts(p_worker_id integer, p_accounts text[])
returns integer[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_stranger text;
begin
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
  return array(select a.account_id from orderlatch_data.accounts as a where a.account = any (p_accounts));
end
$$;
revoke all on function orderlatch_data.carried_accounts(integer, text[]) from public;
comment on function orderlatch_data.carried_accounts(integer, text[]) is
  'The account_ids of accounts that the worker registered and its login may still act for; else OL102 or '
  'OL301. Without names an account that its login may not act for any more is passed over.';
