-- What an operator has taken away stays taken, also where the server crashes with synchronous_commit off.
begin;
select plan(4);

select test.given_account();
select test.given_account('live', p_environment => 'live');
create role durable_strategy login in role orderlatch_strategy;
select orderlatch.bind_login('durable_strategy', 'paper');
create function pg_temp.commits_after(p_act text)
returns text
language plpgsql
as $$
begin
  set local synchronous_commit = off;
  execute 'select ' || p_act;
  return current_setting('synchronous_commit');
end
$$;

select is(pg_temp.commits_after(a.act), 'on', 'durable: ' || a.act)
  from (
    values
      ($$ orderlatch.halt('enough', 'paper') $$),
      ($$ orderlatch.revoke_live('live') $$),
      ($$ orderlatch.update_account('paper', '{"on_absent": "lapse"}') $$),
      ($$ orderlatch.unbind_login('durable_strategy', 'paper') $$)
  ) as a(act);

select * from finish();
rollback;
