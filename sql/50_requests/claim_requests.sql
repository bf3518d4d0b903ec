-- Grants the right to make up to p_how_many broker calls, account by account, most urgent first.
-- Locks: worker, account (granting), decisions: all try. Raises: OL101, OL102, OL131, OL132, OL301.
create or replace function orderlatch.claim_requests(
  p_worker_id integer,
  p_accounts text[],
  p_how_many integer
)
returns table (
  request_id uuid,
  account text,
  kind text,
  method text,
  path text,
  query jsonb,
  body text,
  send_within_ms integer,
  timeout_ms integer,
  ask_again_ms integer
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set jit = off
as $$
declare
  v_account orderlatch_data.accounts;
  v_left integer := p_how_many;
  v_granted integer;
  v_visited integer := 0;
  v_ask_at timestamptz;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_claim(p_worker_id, p_accounts, p_how_many);
  perform orderlatch_data.make_durable();

  -- a loop, because each account is a lock of its own; a bounded number, each call beginning with another one
  for v_account in
    select t.* from orderlatch_data.accounts_in_turn(p_worker_id, p_accounts, 50) as t
  loop
    v_visited := v_visited + 1;
    if not orderlatch_data.try_lock_granting(v_account.account_id) then
      v_ask_at := least(v_ask_at, orderlatch_data.clock() + interval '20 milliseconds');
      continue;
    end if;
    return query
    select g.request_id, g.account, g.kind, g.method, g.path, g.query, g.body, g.send_within_ms,
           g.timeout_ms, null::integer
      from orderlatch_data.grant_account(v_account, p_worker_id, v_left) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
    exit when v_left <= 0;
    v_ask_at := least(v_ask_at, orderlatch_data.next_due_at(v_account));
    -- after a grant the worker comes again by itself
    if v_granted = 0 and orderlatch_data.is_held_up(v_account, p_worker_id) then
      v_ask_at := least(v_ask_at, orderlatch_data.clock() + interval '20 milliseconds');
    end if;
  end loop;
  if v_visited = 50 then
    v_ask_at := least(v_ask_at, orderlatch_data.clock() + interval '100 milliseconds');  -- there may be more
  end if;
  if v_left > 0 and v_ask_at is not null then
    v_ask_at := least(v_ask_at, orderlatch_data.clock() + interval '1 minute');
    ask_again_ms := greatest(1, ceil(1000 * extract(epoch from v_ask_at - orderlatch_data.clock()))::integer);
    return next;
  end if;
end
$$;
revoke all on function orderlatch.claim_requests(integer, text[], integer) from public;
grant execute on function orderlatch.claim_requests(integer, text[], integer) to orderlatch_worker;
comment on function orderlatch.claim_requests(integer, text[], integer) is
  'Grants up to p_how_many (1 to 1000) broker calls to a worker, for the accounts it registered. Each row '
  'is one HTTP call to make once: path below the account''s base URL, query as a JSON object of texts, '
  'body to be sent as it is, send_within_ms from before this call was made until the call begins, '
  'timeout_ms for the whole of it. At most one last row has only ask_again_ms: claim again after so many '
  'milliseconds. Accounts that another worker claims for at this moment are skipped. Raises OL101 '
  'worker_unknown, OL102 account_unknown, OL131 argument_invalid, OL132 isolation_unsupported, OL301 '
  'login_not_bound.';

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

-- The accounts of a claim that have anything to do, beginning with another one at each call.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.accounts_in_turn(
  p_worker_id integer,
  p_accounts text[],
  p_at_most integer
)
returns setof orderlatch_data.accounts
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with named as materialized (
    select a.account_id, row_number() over (order by a.account_id) as place, count(*) over () as places
      from orderlatch_data.accounts as a
      join orderlatch_data.worker_accounts as c on c.account_id = a.account_id and c.worker_id = p_worker_id
     where a.account = any (p_accounts)
       and (
         c.verified_at is null
         or exists (select 1 from orderlatch_data.open_decisions as o where o.account_id = a.account_id)
         or exists (select 1 from orderlatch_data.open_requests as r where r.account_id = a.account_id)
         or orderlatch_data.read_is_due(a.account_id)
       )
  ), turn as materialized (
    select nextval('orderlatch_data.claim_turns') as turn_no
  )
  select a.*
    from named as n
   cross join turn as t
    join orderlatch_data.accounts as a on a.account_id = n.account_id
   order by (n.place + t.turn_no * case when n.places > p_at_most then p_at_most else 1 end) % n.places
   limit p_at_most
$$;
revoke all on function orderlatch_data.accounts_in_turn(integer, text[], integer) from public;
comment on function orderlatch_data.accounts_in_turn(integer, text[], integer) is
  'At most p_at_most of the named accounts that have open decisions or requests or a read that is due, or '
  'that the worker is not verified for; each call begins one account further on, or, when there are more, '
  'after those of the last call.';
