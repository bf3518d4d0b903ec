-- Builds the worlds that pgTAP files begin with: accounts, decisions, workers, calls and what the broker says to them.
-- Loaded into the template of the test databases. Whatever can be done through the public functions is done through them.
-- Readers are volatile, so that one statement of a test can make something and look at it.
create schema test;
grant usage on schema test to public;

-- Accounts ------------------------------------------------------------------------------------------------------------

-- An account without a mirror and with a rate limit that nobody meets, so that nothing is claimed but what a test asks for,
-- and all of it: see given_mirrored_account. A live one gets an identity unless the settings name one. Returns its name.
create function test.given_account(
  p_account text default 'paper',
  p_settings jsonb default '{}',
  p_environment text default 'paper'
)
returns text
language plpgsql
as $$
begin
  perform test.given_mirrored_account(p_account, '{"rate_limit": 1000000, "burst": 500000}' || p_settings, p_environment);
  perform test_support.without_mirror(p_account);
  return p_account;
end
$$;

-- An account as create_account makes it: everything is to be read, and nothing is submitted before.
create function test.given_mirrored_account(
  p_account text default 'paper',
  p_settings jsonb default '{}',
  p_environment text default 'paper'
)
returns text
language plpgsql
as $$
begin
  perform orderlatch.create_account(
    p_account, p_environment,
    case when p_environment = 'live' then jsonb_build_object('broker_account_id', p_account || '-id') else '{}' end || p_settings
  );
  return p_account;
end
$$;

create function test.account_id(p_account text default 'paper')
returns integer
language sql
volatile
as $$ select a.account_id from orderlatch_data.accounts as a where a.account = p_account $$;

-- A halt. Returns its id.
create function test.given_halt(
  p_reason text,
  p_account text default null,
  p_strategy_id text default null,
  p_symbol text default null,
  p_cancel_open boolean default false
)
returns bigint
language sql
volatile
as $$ select max(h.halt_id) from orderlatch.halt(p_reason, p_account, p_strategy_id, p_symbol, p_cancel_open) as h $$;

-- Decisions -----------------------------------------------------------------------------------------------------------

create sequence test.signals;

-- A decision as a strategy delivers it: ten shares of GOOG at the market. Each call answers another signal, a second
-- later than the last; p_members are laid over it.
create function test.a_decision(p_members jsonb default '{}')
returns jsonb
language sql
volatile
as $$
  select jsonb_build_object(
           'strategy_id', 'momentum',
           'symbol', 'GOOG',
           'event_ts', orderlatch_data.canonical_time(
             '2026-03-02 14:30:00Z'::timestamptz + make_interval(secs => nextval('test.signals'))
           ),
           'timeframe', '1d',
           'action', 'buy',
           'qty', '10',
           'reference_price', '190.25'
         ) || p_members
$$;

-- A decision that is recorded and not judged: planned. Returns its hash.
create function test.given_decision(p_account text default 'paper', p_members jsonb default '{}')
returns text
language sql
volatile
as $$ select d.decision_hash from orderlatch.ensure_decision(p_account, test.a_decision(p_members)) as d $$;

-- A decision that risk said yes to. Returns its hash.
create function test.given_approved_decision(p_account text default 'paper', p_members jsonb default '{}')
returns text
language plpgsql
as $$
declare
  v_proposed record;
begin
  select d.* into v_proposed from orderlatch.propose_decision(p_account, test.a_decision(p_members)) as d;
  if v_proposed.status <> 'approved' then
    raise exception 'the decision is %: %', v_proposed.status, v_proposed.reasons;
  end if;
  return v_proposed.decision_hash;
end
$$;

create function test.decision_id(p_decision_hash text)
returns bigint
language sql
volatile
as $$ select d.decision_id from orderlatch_data.trade_decisions as d where d.decision_hash = decode(p_decision_hash, 'hex') $$;

create function test.status(p_decision_hash text)
returns text
language sql
volatile
as $$ select s.status from orderlatch.decision_status(p_decision_hash) as s $$;

-- The moves of a decision, oldest first: {none>planned,planned>approved}.
create function test.moves(p_decision_hash text)
returns text[]
language sql
volatile
as $$
  select array_agg(e.from_status || '>' || e.to_status order by e.event_id)
    from orderlatch_data.decision_events as e
   where e.decision_id = test.decision_id(p_decision_hash)
$$;

-- Workers and calls ---------------------------------------------------------------------------------------------------

-- A life of a worker that has not yet been told which account its keys open. Returns its id.
create function test.given_stranger(variadic p_accounts text[] default '{paper}')
returns integer
language sql
volatile
as $$
  select orderlatch.register_worker(
           'worker',
           (
             select jsonb_agg(jsonb_build_object('account', a.account, 'environment', a.environment))
               from orderlatch_data.accounts as a
              where a.account = any (p_accounts)
           ),
           1
         )
$$;

-- A life of a worker that get_account has verified for its accounts. Returns its id.
create function test.given_worker(variadic p_accounts text[] default '{paper}')
returns integer
language plpgsql
as $$
declare
  v_worker_id constant integer := test.given_stranger(variadic p_accounts);
  v_meaning text;
begin
  for v_meaning in
    select test.record(test.answer_account(c.request_id, coalesce(a.broker_account_id, a.account || '-id')))
      from test.claim(v_worker_id) as c
      join orderlatch_data.accounts as a on a.account = c.account
  loop
    if v_meaning <> 'account_verified' then
      raise exception 'the worker is not verified: %', v_meaning;
    end if;
  end loop;
  -- where there is no mirror, nobody serves what the start of a worker wishes for
  delete from orderlatch_data.read_wishes as w
   where not exists (select 1 from orderlatch_data.broker_reads as r where r.account_id = w.account_id);
  return v_worker_id;
end
$$;

-- The accounts that a worker registered for.
create function test.accounts_of(p_worker_id integer)
returns text[]
language sql
volatile
as $$
  select array_agg(a.account order by a.account_id)
    from orderlatch_data.worker_accounts as c
    join orderlatch_data.accounts as a on a.account_id = c.account_id
   where c.worker_id = p_worker_id
$$;

-- The calls that a worker is granted, over all accounts that it registered.
create function test.claim(p_worker_id integer, p_how_many integer default 1000)
returns setof orderlatch_data.granted_request
language sql
volatile
as $$
  select c.request_id, c.account, c.kind, c.method, c.path, c.query, c.body, c.send_within_ms, c.timeout_ms
    from orderlatch.claim_requests(p_worker_id, test.accounts_of(p_worker_id), p_how_many) as c
   where c.request_id is not null
$$;

-- One call, which must be of the kind that the test counts on. A read that goes before a submit is left on its way.
create function test.claim_one(p_worker_id integer, p_kind text default 'submit_order')
returns orderlatch_data.granted_request
language plpgsql
as $$
declare
  v_granted orderlatch_data.granted_request;
begin
  loop
    select c.* into v_granted from test.claim(p_worker_id, 1) as c;
    exit when p_kind <> 'submit_order' or coalesce(v_granted.kind, 'nothing') not in ('get_order', 'list_orders');
  end loop;
  if v_granted.kind is distinct from p_kind then
    raise exception 'expected a grant of %, got %', p_kind, coalesce(v_granted.kind, 'nothing');
  end if;
  return v_granted;
end
$$;

-- In how many milliseconds the worker is told to ask again; null when it is not. Claims up to p_how_many on the way.
create function test.ask_again_ms(p_worker_id integer, p_how_many integer default 1000)
returns integer
language sql
volatile
as $$
  select max(c.ask_again_ms) from orderlatch.claim_requests(p_worker_id, test.accounts_of(p_worker_id), p_how_many) as c
$$;

-- Answers -------------------------------------------------------------------------------------------------------------

-- One element of record_responses' argument. p_body is the text that the broker sent.
create function test.answer(
  p_request_id uuid,
  p_sent text,
  p_status integer default null,
  p_body text default null,
  p_headers jsonb default null,
  p_error text default null
)
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
           'request_id', p_request_id,
           'sent', p_sent,
           'status', p_status,
           'headers', p_headers,
           'body', translate(encode(convert_to(p_body, 'UTF8'), 'base64'), E'\n', ''),
           'error', p_error,
           'elapsed_ms', 42
         )
$$;

-- A whole response.
create function test.answer_status(p_request_id uuid, p_status integer, p_body text, p_headers jsonb default null)
returns jsonb
language sql
immutable
as $$ select test.answer(p_request_id, 'yes', p_status, p_body, p_headers) $$;

-- An error in the broker's own words, for example 403, 40310000, 'insufficient buying power'.
create function test.answer_error(
  p_request_id uuid,
  p_status integer,
  p_code integer,
  p_message text,
  p_headers jsonb default null
)
returns jsonb
language sql
immutable
as $$
  select test.answer_status(
           p_request_id, p_status, jsonb_strip_nulls(jsonb_build_object('code', p_code, 'message', p_message))::text, p_headers
         )
$$;

-- The call provably never left.
create function test.answer_not_sent(p_request_id uuid, p_error text default 'connection refused')
returns jsonb
language sql
immutable
as $$ select test.answer(p_request_id, 'no', p_error => p_error) $$;

-- Nobody knows whether the call arrived.
create function test.answer_maybe(p_request_id uuid, p_error text default 'read timeout')
returns jsonb
language sql
immutable
as $$ select test.answer(p_request_id, 'maybe', p_error => p_error) $$;

-- The account that the keys open.
create function test.answer_account(p_request_id uuid, p_broker_account_id text)
returns jsonb
language sql
immutable
as $$ select test.answer_status(p_request_id, 200, jsonb_build_object('id', p_broker_account_id, 'status', 'ACTIVE')::text) $$;

-- The broker's document of a decision's order, with p_members laid over it.
create function test.order_document(p_decision_hash text, p_members jsonb default '{}')
returns jsonb
language sql
volatile
as $$
  select jsonb_build_object(
           'id', 'order-' || d.decision_id,
           'client_order_id', p_decision_hash,
           'created_at', '2026-03-02T15:00:00.371060727Z',
           'updated_at', '2026-03-02T15:00:00.371751493Z',
           'submitted_at', '2026-03-02T15:00:00.371060727Z',
           'symbol', d.symbol,
           'asset_class', case when d.symbol like '%/%' then 'crypto' else 'us_equity' end,
           'qty', d.qty::text,
           'notional', d.notional::text,
           'filled_qty', '0',
           'filled_avg_price', null,
           'order_class', '',
           'order_type', d.order_type,
           'type', d.order_type,
           'side', d.action,
           'time_in_force', d.time_in_force,
           'limit_price', d.limit_price::text,
           'stop_price', d.stop_price::text,
           'status', 'accepted',
           'extended_hours', d.extended_hours,
           'legs', null
         ) || p_members
    from orderlatch_data.trade_decisions as d
   where d.decision_hash = decode(p_decision_hash, 'hex')
$$;

-- The order of a submit's or a lookup's decision, as the broker shows it; p_members are laid over the document.
create function test.answer_order(p_request_id uuid, p_members jsonb default '{}')
returns jsonb
language sql
volatile
as $$
  select test.answer_status(
           p_request_id, 200, test.order_document(encode(d.decision_hash, 'hex'), p_members)::text,
           '{"x-request-id": "649c5a79da1ab9cb20742ffdada0a7bb"}'
         )
    from orderlatch_data.broker_requests as r
    join orderlatch_data.trade_decisions as d on d.decision_id = r.decision_id
   where r.request_id = p_request_id
$$;

-- The broker's word that it has no order of a lookup's decision.
create function test.answer_absent(p_request_id uuid)
returns jsonb
language sql
volatile
as $$
  select test.answer_error(p_request_id, 404, 40410000, 'order not found for ' || coalesce(r.query ->> 'client_order_id', ''))
    from orderlatch_data.broker_requests as r
   where r.request_id = p_request_id
$$;

-- Records one answer and returns what it was taken to mean.
create function test.record(p_answer jsonb)
returns text
language sql
volatile
as $$ select r.meaning from orderlatch.record_responses(jsonb_build_array(p_answer)) as r $$;

-- Decisions further on ------------------------------------------------------------------------------------------------

-- A decision whose submit is on its way with p_worker_id, who has nothing more urgent to do. Returns its hash.
create function test.given_submitting_decision(p_worker_id integer, p_members jsonb default '{}')
returns text
language plpgsql
as $$
declare
  v_decision_hash constant text := test.given_approved_decision((test.accounts_of(p_worker_id))[1], p_members);
begin
  if test.decision_of((test.claim_one(p_worker_id)).request_id) <> v_decision_hash then
    raise exception 'another decision was granted';
  end if;
  return v_decision_hash;
end
$$;

-- A decision in the status asked for, brought there through the protocol by p_worker_id, who has nothing more urgent
-- to do. Each has a symbol of its own, so that none waits for another. Returns its hash.
create function test.given_decision_in(p_status text, p_worker_id integer, p_members jsonb default '{}')
returns text
language plpgsql
as $$
declare
  v_account constant text := (test.accounts_of(p_worker_id))[1];
  v_members constant jsonb := jsonb_build_object('symbol', 'SYM' || nextval('test.signals')) || p_members;
  v_decision_hash text;
begin
  case p_status
    when 'planned' then
      return test.given_decision(v_account, v_members);
    when 'approved' then
      return test.given_approved_decision(v_account, v_members);
    when 'rejected' then
      select d.decision_hash into v_decision_hash
        from orderlatch.propose_decision(v_account, test.a_decision(v_members || '{"order_type": "limit"}')) as d;
    when 'withdrawn' then
      v_decision_hash := test.given_approved_decision(v_account, v_members);
      perform orderlatch.withdraw_decision(v_decision_hash, 'the signal is gone');
    when 'lapsed' then
      v_decision_hash := test.given_approved_decision(
        v_account, v_members || jsonb_build_object('valid_until', orderlatch_data.canonical_time(orderlatch_data.clock()))
      );
      perform orderlatch_data.lapse_stale_decisions(a)
         from orderlatch_data.accounts as a
        where a.account = v_account;
    else
      v_decision_hash := test.given_submitting_decision(p_worker_id, v_members);
      if p_status <> 'submitting' then
        perform test.record(
          case p_status
            when 'in_doubt' then test.answer_maybe(test.holder(v_decision_hash))
            when 'submitted' then test.answer_order(test.holder(v_decision_hash))
            when 'refused' then
              test.answer_error(test.holder(v_decision_hash), 403, 40310000, 'insufficient buying power')
          end
        );
      end if;
  end case;
  if test.status(v_decision_hash) <> p_status then
    raise exception 'the decision is %, not %', test.status(v_decision_hash), p_status;
  end if;
  return v_decision_hash;
end
$$;

-- The newest submit of a decision.
create function test.holder(p_decision_hash text)
returns uuid
language sql
volatile
as $$
  select r.request_id
    from orderlatch_data.broker_requests as r
   where r.decision_id = test.decision_id(p_decision_hash) and r.kind = 'submit_order'
   order by r.claimed_at desc
   limit 1
$$;

-- The decision that a request is about.
create function test.decision_of(p_request_id uuid)
returns text
language sql
volatile
as $$
  select encode(d.decision_hash, 'hex')
    from orderlatch_data.broker_requests as r
    join orderlatch_data.trade_decisions as d on d.decision_id = r.decision_id
   where r.request_id = p_request_id
$$;

-- Looking ------------------------------------------------------------------------------------------------------------

-- The narrow row of a decision that has not settled.
create function test.open_row(p_decision_hash text)
returns orderlatch_data.open_decisions
language sql
volatile
as $$ select o.* from orderlatch_data.open_decisions as o where o.decision_id = test.decision_id(p_decision_hash) $$;

-- What is known of a decision whose fate is not.
create function test.doubt(p_decision_hash text)
returns orderlatch_data.doubts
language sql
volatile
as $$ select d.* from orderlatch_data.doubts as d where d.decision_id = test.decision_id(p_decision_hash) $$;

-- Why a decision has the status that it has.
create function test.reason(p_decision_hash text)
returns text
language sql
volatile
as $$ select s.reason from orderlatch.decision_status(p_decision_hash) as s $$;

-- Open incidents by kind: {order_mismatch}.
create function test.incidents()
returns text[]
language sql
volatile
as $$ select array(select i.incident from orderlatch_data.incidents as i where i.closed_at is null order by 1) $$;

-- Reasons of standing halts: {order_mismatch}.
create function test.halts()
returns text[]
language sql
volatile
as $$ select array(select h.reason from orderlatch_data.halts as h where h.lifted_at is null order by 1) $$;

-- Promises that are broken.
create function test.broken_promises()
returns text[]
language sql
volatile
as $$ select array(select i.promise from orderlatch.invariants as i where i.violations <> 0) $$;

-- Kinds that a worker is granted, in the order of the grants: {find_order,submit_order}.
create function test.kinds(p_worker_id integer, p_how_many integer default 1000)
returns text[]
language sql
volatile
as $$ select coalesce(array_agg(c.kind), '{}') from test.claim(p_worker_id, p_how_many) as c $$;

-- Time and crashes -----------------------------------------------------------------------------------------------------

-- Ends the life of a worker as the end of its listening connection would. Returns whether it lived.
create function test.kill_worker(p_worker_id integer)
returns boolean
language sql
volatile
as $$ select pg_advisory_unlock(orderlatch_data.lock_class('worker'), p_worker_id) $$;

-- Claims, and answers every lookup with the broker's word that it has no such order. Returns how many there were.
create function test.look_in_vain(p_worker_id integer)
returns bigint
language sql
volatile
as $$
  select count(test.record(test.answer_absent(c.request_id))) from test.claim(p_worker_id) as c where c.kind = 'find_order'
$$;

-- Moves the held clock on to where both answers of absence for a decision in doubt count, and gives them.
create function test.given_absent_twice(p_worker_id integer, p_decision_hash text)
returns void
language plpgsql
as $$
begin
  perform test_support.hold_clock(greatest(orderlatch_data.clock(), (test.doubt(p_decision_hash)).believe_after));
  perform test.look_in_vain(p_worker_id);
  -- a lookup that is on its way already has to be lost first
  while (test.doubt(p_decision_hash)).second_absent_at is null
    and orderlatch_data.clock() < (test.doubt(p_decision_hash)).believe_after + interval '1 hour'
  loop
    perform test_support.advance_clock('30 seconds');
    perform test.look_in_vain(p_worker_id);
  end loop;
  if (test.doubt(p_decision_hash)).second_absent_at is null then
    raise exception 'the order of % is not absent twice', p_decision_hash;
  end if;
end
$$;

-- Proves that the order of a decision in doubt does not exist, moving the held clock on. Returns its status after that.
create function test.prove_absent(p_worker_id integer, p_decision_hash text)
returns text
language plpgsql
as $$
begin
  perform test.given_absent_twice(p_worker_id, p_decision_hash);
  perform test.record(test.answer_status((test.claim_one(p_worker_id, 'list_orders')).request_id, 200, '[]'));
  return test.status(p_decision_hash);
end
$$;

-- A broker's book ----------------------------------------------------------------------------------------------------

-- An order as the broker shows it, of nobody here: ten shares of GOOG, bought at the market. p_members are laid over it.
create function test.a_broker_order(p_id text, p_members jsonb default '{}')
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
           'id', p_id, 'client_order_id', 'by-hand-' || p_id, 'created_at', '2026-03-02T15:00:00.371060727Z',
           'updated_at', '2026-03-02T15:00:00.371751493Z', 'submitted_at', '2026-03-02T15:00:00.371060727Z',
           'symbol', 'GOOG', 'qty', '10', 'notional', null, 'filled_qty', '0', 'filled_avg_price', null,
           'order_class', '', 'order_type', 'market', 'type', 'market', 'side', 'buy', 'time_in_force', 'day',
           'limit_price', null, 'stop_price', null, 'status', 'new', 'extended_hours', false, 'legs', null,
           'replaced_by', null, 'replaces', null
         ) || p_members
$$;

-- A trade of an order, as the account's activities list it: ten shares of GOOG bought for 190.25 each.
create function test.a_fill(p_order_id text, p_execution_id text, p_members jsonb default '{}')
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
           'id', '20260302100001378::' || p_execution_id, 'activity_type', 'FILL', 'type', 'fill',
           'transaction_time', '2026-03-02T15:00:01.378123Z', 'order_id', p_order_id, 'symbol', 'GOOG', 'side', 'buy',
           'price', '190.25', 'qty', '10', 'cum_qty', '10', 'leaves_qty', '0', 'order_status', 'filled'
         ) || p_members
$$;

-- A position as the broker lists it.
create function test.a_position(p_symbol text, p_qty text, p_members jsonb default '{}')
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
           'symbol', p_symbol, 'qty', p_qty, 'side', case when p_qty like '-%' then 'short' else 'long' end,
           'avg_entry_price', '190.25', 'asset_class', 'us_equity'
         ) || p_members
$$;

-- Nanoseconds since 1970, for bounds as the broker compares them.
create function test.nanoseconds(p_time text)
returns numeric
language sql
immutable
as $$
  select extract(epoch from left(p_time, 19)::timestamp)::numeric * 1000000000
         + rpad(coalesce(substr(substring(p_time from '\.[0-9]+'), 2), ''), 9, '0')::numeric
$$;

-- Every order of a book {"orders": [...], "fills": [...], "positions": [...]}, legs as orders of their own.
create function test.orders_of(p_book jsonb)
returns setof jsonb
language sql
immutable
as $$
  select o.document || '{"legs": null}' from jsonb_array_elements(p_book -> 'orders') as o(document)
  union all
  select l.document
    from jsonb_array_elements(p_book -> 'orders') as o(document)
   cross join lateral jsonb_array_elements(
     case when jsonb_typeof(o.document -> 'legs') = 'array' then o.document -> 'legs' else '[]' end
   ) as l(document)
$$;

-- What the broker with that book answers to a request: status and body.
create function test.broker_says(p_book jsonb, p_kind text, p_path text, p_query jsonb, out status integer, out body jsonb)
language plpgsql
immutable
as $$
declare
  v_found jsonb;
begin
  status := 200;
  case p_kind
    when 'list_orders' then
      with listed as (
        select o.document
          from jsonb_array_elements(p_book -> 'orders') as o(document) where p_query ->> 'nested' = 'true'
        union all
        select o.document from test.orders_of(p_book) as o(document) where p_query ->> 'nested' = 'false'
      ), sorted as (
        select l.document, row_number() over (order by test.nanoseconds(l.document ->> 'submitted_at'), l.document ->> 'id') as place
          from listed as l
      ), chosen as (
        select s.document, s.place
          from sorted as s
         where (p_query ->> 'status' = 'all' or s.document ->> 'status' not in ('filled', 'canceled', 'expired', 'rejected', 'replaced'))
           and (not p_query ? 'after' or test.nanoseconds(s.document ->> 'submitted_at') > test.nanoseconds(p_query ->> 'after'))
           and (not p_query ? 'after_order_id'
                or s.place > (select k.place from sorted as k where k.document ->> 'id' = p_query ->> 'after_order_id'))
           and (not p_query ? 'symbols' or s.document ->> 'symbol' = p_query ->> 'symbols')
         order by s.place
         limit (p_query ->> 'limit')::integer
      )
      select coalesce(jsonb_agg(c.document order by c.place), '[]') into body from chosen as c;
    when 'list_fills' then
      with sorted as (
        select f.document, row_number() over (order by f.document ->> 'transaction_time', f.document ->> 'id') as place
          from jsonb_array_elements(p_book -> 'fills') as f(document)
      ), chosen as (
        select s.document, s.place
          from sorted as s
         where test.nanoseconds(s.document ->> 'transaction_time') > test.nanoseconds(p_query ->> 'after')
           and (not p_query ? 'page_token'
                or s.place > (select k.place from sorted as k where k.document ->> 'id' = p_query ->> 'page_token'))
         order by s.place
         limit (p_query ->> 'page_size')::integer
      )
      select coalesce(jsonb_agg(c.document order by c.place), '[]') into body from chosen as c;
    when 'list_positions' then
      body := coalesce(p_book -> 'positions', '[]');
    when 'cancel_order' then
      status := 204;
    when 'get_order', 'find_order' then
      select o.document into v_found
        from test.orders_of(p_book) as o(document)
       where case p_kind
               when 'get_order' then p_path = '/v2/orders/' || (o.document ->> 'id')
               else o.document ->> 'client_order_id' = p_query ->> 'client_order_id'
             end
       limit 1;
      body := coalesce(v_found, jsonb_build_object('code', 40410000, 'message', 'order not found for it'));
      status := case when v_found is null then 404 else 200 end;
  end case;
end
$$;

-- Claims once, and answers whatever the broker with that book can answer; submits are left on their way. Returns the kinds.
create function test.serve_once(p_worker_id integer, p_book jsonb)
returns text[]
language plpgsql
as $$
declare
  v_granted orderlatch_data.granted_request;
  v_said record;
  v_kinds text[] := '{}';
begin
  for v_granted in select c.* from test.claim(p_worker_id) as c loop
    v_kinds := v_kinds || v_granted.kind;
    if v_granted.kind <> 'submit_order' then
      select b.* into v_said
        from test.broker_says(p_book, v_granted.kind, v_granted.path, v_granted.query) as b;
      perform test.record(test.answer_status(v_granted.request_id, v_said.status, v_said.body::text));
    end if;
  end loop;
  return v_kinds;
end
$$;

-- Claims and answers until nothing is due any more. Returns the kinds of all calls, in their order.
create function test.serve(p_worker_id integer, p_book jsonb)
returns text[]
language plpgsql
as $$
declare
  v_kinds text[];
  v_all text[] := '{}';
begin
  loop
    v_kinds := test.serve_once(p_worker_id, p_book);
    exit when v_kinds = '{}';
    v_all := v_all || v_kinds;
    if cardinality(v_all) > 2000 then
      raise exception 'there is no end to it: %', v_all[1:20];
    end if;
  end loop;
  return v_all;
end
$$;

-- A row of broker_orders, as a test looks at it.
create function test.broker_order(p_broker_order_id text, p_account text default 'paper')
returns orderlatch_data.broker_orders
language sql
volatile
as $$
  select b.*
    from orderlatch_data.broker_orders as b
   where b.account_id = test.account_id(p_account) and b.broker_order_id = p_broker_order_id
$$;

-- Keeps an order that the broker shows, of no decision.
create function test.insert_order(p_document jsonb, p_account text default 'paper')
returns void
language sql
volatile
as $$
  select orderlatch_data.insert_orders(
           test.account_id(p_account),
           array(
             select row(d.*)::orderlatch_data.shown_order from orderlatch_data.read_orders(jsonb_build_array(p_document)) as d
           ),
           null
         )
$$;

-- Books activities as the broker lists them.
create function test.take_fills(p_activities jsonb, p_account text default 'paper')
returns bigint
language sql
volatile
as $$
  select orderlatch_data.take_fills(
           test.account_id(p_account),
           array(select row(f.*)::orderlatch_data.shown_fill from orderlatch_data.read_fills(p_activities) as f),
           null
         )
$$;

-- A standing read of an account.
create function test.standing_read(p_purpose text, p_account text default 'paper')
returns orderlatch_data.broker_reads
language sql
volatile
as $$
  select r.* from orderlatch_data.broker_reads as r where r.account_id = test.account_id(p_account) and r.purpose = p_purpose
$$;

-- Hands a message of the trade_updates stream to the database, as a frame of bytes.
create function test.tell(p_worker_id integer, p_event text, p_order jsonb, p_members jsonb default '{}', p_account text default 'paper')
returns text
language sql
volatile
as $$
  select orderlatch.record_trade_update(
           p_worker_id, p_account,
           convert_to(
             jsonb_build_object(
               'stream', 'trade_updates', 'data', jsonb_build_object('event', p_event, 'order', p_order) || p_members
             )::text,
             'UTF8'
           )
         )
$$;

-- Servers and reads ---------------------------------------------------------------------------------------------------

-- Answers every list that is due, page by page, with p_orders for orders and with nothing for the rest, until none is due.
-- What else is granted meanwhile is left on its way. Returns the kinds that were granted.
create function test.serve_reads(p_worker_id integer, p_orders jsonb default '[]')
returns text[]
language plpgsql
as $$
declare
  v_granted orderlatch_data.granted_request;
  v_kinds text[] := '{}';
begin
  loop
    select c.* into v_granted from test.claim(p_worker_id, 1) as c;
    exit when v_granted.request_id is null;
    v_kinds := v_kinds || v_granted.kind;
    if v_granted.kind like 'list_%' then
      perform test.record(test.answer_status(
        v_granted.request_id, 200,
        case when v_granted.query ->> 'status' = 'all' then p_orders else '[]' end::text
      ));
    end if;
  end loop;
  return v_kinds;
end
$$;

-- A mirrored account that has been read, and a worker that may submit for it. Returns the worker.
create function test.given_reconciled_worker(p_account text default 'paper', p_settings jsonb default '{}')
returns integer
language plpgsql
as $$
declare
  v_worker_id integer;
begin
  perform test.given_mirrored_account(p_account, p_settings);
  v_worker_id := test.given_worker(p_account);
  perform test.serve_reads(v_worker_id);
  return v_worker_id;
end
$$;

-- Pretends that claims were last on another server than this one: the same cluster before it was started again, or one
-- with another timeline, system identifier or home. The next claim notices.
create function test.given_other_server(
  p_timeline integer default orderlatch_data.timeline(),
  p_system_identifier bigint default null,
  p_home bigint default orderlatch_data.home()
)
returns void
language sql
volatile
as $$
  insert into orderlatch_data.clusters
    (system_identifier, timeline, home, server_started_at, noticed_at, why, reads_from, changed_from)
  select coalesce(p_system_identifier, s.system_identifier), p_timeline, p_home, '2026-01-01', orderlatch_data.clock(),
         c.why, c.reads_from, c.changed_from
    from pg_control_system() as s
   cross join (select k.* from orderlatch_data.clusters as k order by k.cluster_no desc limit 1) as c
$$;
