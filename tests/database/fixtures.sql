-- Builds the worlds that pgTAP files begin with: accounts, decisions, workers, calls and what the broker says to them.
-- Loaded into the template of the test databases. Whatever can be done through the public functions is done through them.
-- Readers are volatile, so that one statement of a test can make something and look at it.
create schema test;
grant usage on schema test to public;

-- Accounts ------------------------------------------------------------------------------------------------------------

-- An account without a mirror, so that nothing is claimed but what a test asks for: see given_mirrored_account. A live one
-- gets an identity unless the settings name one. Returns its name.
create function test.given_account(
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

-- One call, which must be of the kind that the test counts on.
create function test.claim_one(p_worker_id integer, p_kind text default 'submit_order')
returns orderlatch_data.granted_request
language plpgsql
as $$
declare
  v_granted orderlatch_data.granted_request;
begin
  select c.* into v_granted from test.claim(p_worker_id, 1) as c;
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
