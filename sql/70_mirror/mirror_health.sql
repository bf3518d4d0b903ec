-- Says how far each standing read of a worker's accounts has come, for its metrics.
-- Locks: worker (try, shared). Raises: OL101, OL102, OL301.
create or replace function orderlatch.mirror_health(p_worker_id integer, p_accounts text[])
returns table (
  account text,
  purpose text,
  lag interval,
  failures integer,
  last_success_at timestamptz
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.require_worker(p_worker_id),
          orderlatch_data.carried_accounts(p_worker_id, p_accounts);
  return query
  select a.account, r.purpose, orderlatch_data.clock() - coalesce(r.covered_at, a.created_at), r.failures,
         r.completed_at
    from orderlatch_data.accounts as a
    join orderlatch_data.broker_reads as r on r.account_id = a.account_id and r.purpose <> 'proof'
   where a.account = any (p_accounts)
   order by a.account, r.purpose;
end
$$;
revoke all on function orderlatch.mirror_health(integer, text[]) from public;
grant execute on function orderlatch.mirror_health(integer, text[]) to orderlatch_worker;
comment on function orderlatch.mirror_health(integer, text[]) is
  'One row for each standing read (orders, open_orders, fills, positions) of accounts that the worker '
  'registered. lag: age of the newest moment that is known to be covered, counted from the creation of an '
  'account whose read was never complete. failures: pages that failed since the last one that did not. '
  'last_success_at: when a read was last complete, or null. Raises OL101 worker_unknown, OL102 '
  'account_unknown, OL301 login_not_bound.';
