-- What every test database has besides Orderlatch: a clock that can be held, and a way to act as somebody else.
-- Loaded into the template; nothing of it exists outside the tests.
create schema test_support;
grant usage on schema test_support to public;

create table test_support.clock (
  only_row boolean primary key default true check (only_row),
  held_at timestamptz not null
);
grant select on test_support.clock to public;

-- Holds Orderlatch's clock at p_at. From then on it moves only when advance_clock moves it.
create function test_support.hold_clock(p_at timestamptz default clock_timestamp())
returns timestamptz
language plpgsql
as $$
begin
  insert into test_support.clock (held_at) values (p_at)
  on conflict (only_row) do update set held_at = excluded.held_at;
  if position('test_support' in (select prosrc from pg_proc where oid = 'orderlatch_data.clock()'::regprocedure)) = 0
  then
    create or replace function orderlatch_data.clock()
    returns timestamptz
    language plpgsql
    volatile
    parallel safe
    security invoker
    set search_path = pg_catalog, pg_temp
    as 'begin return (select c.held_at from test_support.clock as c); end';
  end if;
  return p_at;
end
$$;

-- Moves a held clock on (or back); returns the new time.
create function test_support.advance_clock(p_by interval)
returns timestamptz
language plpgsql
as $$
declare
  v_at timestamptz;
begin
  update test_support.clock set held_at = held_at + p_by returning held_at into v_at;
  if v_at is null then
    raise exception 'the clock is not held: call test_support.hold_clock() first';
  end if;
  return v_at;
end
$$;

-- Takes the mirror from an account: nothing is read of it, so that nothing is claimed but what a test asks for, and it
-- submits as if it had been reconciled.
create function test_support.without_mirror(p_account text)
returns void
language sql
as $$
  delete from orderlatch_data.broker_reads as r
   using orderlatch_data.accounts as a
   where a.account = p_account and r.account_id = a.account_id;
  update orderlatch_data.account_states as s
     set reconcile_after = null
    from orderlatch_data.accounts as a
   where a.account = p_account and s.account_id = a.account_id;
$$;

-- Makes the session that of another login until "reset session authorization": session_user and current_user.
-- pgTAP keeps its plan in temporary tables of whoever called plan(): they are shared first.
create function test_support.act_as(p_login text)
returns void
language plpgsql
as $$
begin
  if pg_my_temp_schema() <> 0 then
    execute format('grant all on all tables in schema %s to public', pg_my_temp_schema()::regnamespace);
    execute format('grant all on all sequences in schema %s to public', pg_my_temp_schema()::regnamespace);
  end if;
  perform set_config('session_authorization', p_login, true);
end
$$;
