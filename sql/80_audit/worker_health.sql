-- Says which accounts a worker carries, and since when it is known that its keys are theirs.
-- Locks: worker (try, shared). Raises: OL101 worker_unknown.
create or replace function orderlatch.worker_health(p_worker_id integer)
returns table (
  account text,
  verified_at timestamptz
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.require_worker(p_worker_id);
  return query
  select a.account, c.verified_at
    from orderlatch_data.worker_accounts as c
    join orderlatch_data.accounts as a on a.account_id = c.account_id
   where c.worker_id = p_worker_id and orderlatch_data.login_may_act(c.account_id, null)
   order by a.account;
end
$$;
revoke all on function orderlatch.worker_health(integer) from public;
grant execute on function orderlatch.worker_health(integer) to orderlatch_worker;
comment on function orderlatch.worker_health(integer) is
  'One row for each account that this life of a worker registered and its login may carry. verified_at: when '
  'get_account showed that the worker''s keys are those of the account, or null; until then nothing else is '
  'carried. For the worker''s readiness. Raises OL101 worker_unknown.';
