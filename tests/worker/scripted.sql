-- The worker's functions with the signatures of sql/, and a script in place of the protocol: the test inserts the
-- requests that a claim hands out, and reads what came back. It can refuse answers and keep the worker waiting,
-- which the real functions do not do on demand.

create schema orderlatch;
create schema script;

create table script.workers (worker_id serial primary key, worker_name text, accounts jsonb, released bool default false);
create table script.claims (claim_no serial primary key, worker_id int, how_many int, at timestamptz default clock_timestamp());
create table script.requests (
  request_no serial primary key,
  request_id uuid not null default gen_random_uuid(),
  account text not null default 'paper',
  kind text not null default 'submit_order',
  method text not null default 'POST',
  path text not null default '/v2/orders',
  query jsonb,
  body text default '{}',
  send_within_ms int not null default 5000,
  timeout_ms int not null default 10000,
  worker_id int
);
create table script.answers (batch_no int, request_id uuid, answer jsonb, recorded_at timestamptz default clock_timestamp());
create table script.told (
  told_no int generated always as identity, worker_id int, account text, connected bool, message bytea
);
create sequence script.batches;
create table script.settings (
  schema_version int not null default 1,
  ask_again_ms int,
  claim_sleeps_s float not null default 0,
  disowned int,
  record_error text,
  poison text,
  lock_wait_ms int not null default 500,
  stream_error text,
  stream_poison bytea,
  stream_rows int not null default 1,
  health_error text,
  verified bool not null default true
);
insert into script.settings default values;

create function orderlatch.schema_version() returns integer language sql as
$$ select s.schema_version from script.settings as s $$;

create function orderlatch.register_worker(p_worker_name text, p_accounts jsonb, p_schema_version integer)
returns integer language plpgsql as $$
declare
  v_worker_id integer;
begin
  if p_worker_name = 'unwelcome' then
    raise exception using errcode = 'OL302', message = 'environment_mismatch: no', hint = 'Say paper.';
  end if;
  insert into script.workers (worker_name, accounts) values (p_worker_name, p_accounts)
  returning worker_id into v_worker_id;
  perform pg_advisory_lock(77, v_worker_id);
  return v_worker_id;
end $$;

create function orderlatch.release_worker(p_worker_id integer) returns void language sql as $$
  select pg_advisory_unlock(77, p_worker_id);
  update script.workers set released = true where worker_id = p_worker_id;
$$;

create function orderlatch.claim_requests(p_worker_id integer, p_accounts text[], p_how_many integer)
returns table (request_id uuid, account text, kind text, method text, path text, query jsonb, body text,
               send_within_ms integer, timeout_ms integer, ask_again_ms integer)
language plpgsql as $$
#variable_conflict use_column
begin
  if not exists (select from pg_locks as l where l.locktype = 'advisory' and l.classid = 77
                   and l.objid = p_worker_id and l.database = (select d.oid from pg_database as d
                                                                where d.datname = current_database()))
     or exists (select from script.settings as s where s.disowned = p_worker_id) then
    raise exception using errcode = 'OL101', message = 'worker_unknown: its session is gone';
  end if;
  insert into script.claims (worker_id, how_many) values (p_worker_id, p_how_many);
  perform pg_sleep(s.claim_sleeps_s) from script.settings as s where s.claim_sleeps_s > 0;
  return query
    with granted as (
      update script.requests as r set worker_id = p_worker_id
       where r.request_no in (select f.request_no from script.requests as f
                               where f.worker_id is null
                                 and f.account in (
                                   select a ->> 'account' from script.workers as w, jsonb_array_elements(w.accounts) as a
                                    where w.worker_id = p_worker_id and p_accounts is null
                                 )
                               order by f.request_no limit p_how_many)
      returning r.*
    )
    select g.request_id, g.account, g.kind, g.method, g.path, g.query, g.body, g.send_within_ms, g.timeout_ms,
           null::integer
      from granted as g;
  return query
    select null::uuid, null::text, null::text, null::text, null::text, null::jsonb, null::text, null::integer,
           null::integer, s.ask_again_ms
      from script.settings as s where s.ask_again_ms is not null;
end $$;

create function orderlatch.record_responses(p_answers jsonb)
returns table (answer_no integer, request_id uuid, meaning text) language plpgsql as $$
#variable_conflict use_column
declare
  v_settings script.settings;
  v_batch_no integer := nextval('script.batches');
begin
  select s.* into v_settings from script.settings as s;
  if v_settings.record_error is not null then
    raise exception using errcode = v_settings.record_error, message = 'as the script says';
  end if;
  if exists (select from jsonb_array_elements(p_answers) as a where a ->> 'request_id' = v_settings.poison) then
    raise exception using errcode = '22P05', message = 'an answer that cannot be recorded';
  end if;
  perform set_config('lock_timeout', v_settings.lock_wait_ms::text, true);
  perform pg_advisory_xact_lock(78, hashtext(r.account))
     from (select distinct q.account from jsonb_array_elements(p_answers) as a
             join script.requests as q on q.request_id = (a ->> 'request_id')::uuid order by 1) as r;
  return query
    with arrived as (
      select a.answer, a.answer_no from jsonb_array_elements(p_answers) with ordinality as a (answer, answer_no)
    ), kept as (
      insert into script.answers (batch_no, request_id, answer)
      select v_batch_no, (a.answer ->> 'request_id')::uuid, a.answer from arrived as a
    )
    select a.answer_no::integer, (a.answer ->> 'request_id')::uuid, 'order_exists'::text from arrived as a;
end $$;

create function script.require_worker(p_worker_id integer) returns void language plpgsql as $$
begin
  if not exists (select from pg_locks as l where l.locktype = 'advisory' and l.classid = 77 and l.objid = p_worker_id) then
    raise exception using errcode = 'OL101', message = 'worker_unknown: its session is gone';
  end if;
end $$;

create function orderlatch.record_stream_state(p_worker_id integer, p_account text, p_connected boolean)
returns void language plpgsql as $$
begin
  perform script.require_worker(p_worker_id);
  insert into script.told (worker_id, account, connected) values (p_worker_id, p_account, p_connected);
end $$;

create function orderlatch.record_trade_update(p_worker_id integer, p_account text, p_message bytea)
returns setof text language plpgsql as $$
declare
  v_settings script.settings;
begin
  perform script.require_worker(p_worker_id);
  select s.* into v_settings from script.settings as s;
  if v_settings.stream_error is not null then
    raise exception using errcode = v_settings.stream_error, message = 'as the script says';
  elsif p_message = v_settings.stream_poison then
    raise exception using errcode = '22003', message = 'a message that cannot be recorded';
  end if;
  insert into script.told (worker_id, account, message) values (p_worker_id, p_account, p_message);
  return query select 'order_updated' from generate_series(1, v_settings.stream_rows);
end $$;

create function orderlatch.mirror_health(p_worker_id integer, p_accounts text[])
returns table (account text, purpose text, lag interval, failures integer, last_success_at timestamptz)
language plpgsql as $$
declare
  v_error text;
begin
  select s.health_error into v_error from script.settings as s;
  if v_error is not null then
    raise exception using errcode = v_error, message = 'as the script says';
  end if;
  return query
  select a.account, p.purpose, interval '1 minute 30 seconds', 2, p.at
    from unnest(p_accounts) as a(account)
   cross join (values ('fills', '2026-11-25 12:00:00Z'::timestamptz), ('orders', null)) as p(purpose, at);
end $$;

create function orderlatch.worker_health(p_worker_id integer)
returns table (account text, verified_at timestamptz)
language plpgsql as $$
begin
  perform script.require_worker(p_worker_id);
  return query
  select a.carried ->> 'account', case when s.verified then clock_timestamp() end
    from script.workers as w
   cross join jsonb_array_elements(w.accounts) as a(carried)
   cross join script.settings as s
   where w.worker_id = p_worker_id;
end $$;
