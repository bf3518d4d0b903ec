-- Tidies an account up and grants its calls, most urgent kind first.
-- Locks: decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_account(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_how_many integer
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_left integer := p_how_many;
  v_granted integer;
  v_unknown constant boolean := orderlatch_data.calls_may_be_unknown(p_account.account_id);
begin
  perform orderlatch_data.sweep_lost_requests(p_account);
  if not v_unknown then
    perform orderlatch_data.lapse_stale_decisions(p_account);
    perform orderlatch_data.grant_wishes(p_account.account_id);
  end if;
  if orderlatch_data.is_paused(p_account.account_id) then
    return;
  end if;
  if not orderlatch_data.is_verified(p_worker_id, p_account.account_id) then
    return query select g.* from orderlatch_data.grant_identity_check(p_account, p_worker_id) as g;
    return;
  end if;

  -- written out, because the order is the urgency; a list that a proof waits for is as urgent as a lookup
  return query select g.* from orderlatch_data.grant_cancels(p_account, p_worker_id, v_left) as g;
  get diagnostics v_granted = row_count;
  v_left := v_left - v_granted;
  if v_left > 0 then
    return query select g.* from orderlatch_data.grant_lookups(p_account, p_worker_id, v_left) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
  end if;
  if v_left > 0 and not v_unknown then
    return query select g.* from orderlatch_data.grant_pages(p_account, p_worker_id, v_left) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
  end if;
  if v_left > 0 then
    return query select g.* from orderlatch_data.grant_submits(p_account, p_worker_id, v_left) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
  end if;
  if v_left > 0 then
    return query select g.* from orderlatch_data.grant_checks(p_account, p_worker_id, v_left) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
  end if;
  if v_left > 0 then
    return query select g.* from orderlatch_data.grant_standing_reads(p_account, p_worker_id, v_left) as g;
  end if;
end
$$;
revoke all on function orderlatch_data.grant_account(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_account(orderlatch_data.accounts, integer, integer) is
  'Loses and lapses what is overdue, then grants up to p_how_many calls of one account: who am I, cancels, '
  'lookups, pages of a proof, submits, single orders, lists of the mirror. A worker that is not verified '
  'for the account is only granted the first. Nothing while the account is paused. While calls of another '
  'cluster may be unknown, nothing lapses, is withdrawn, or is proved absent.';

-- Whether a 429 keeps the account from making any call.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_paused(p_account_id integer)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from orderlatch_data.account_states as s
     where s.account_id = p_account_id and s.paused_until > orderlatch_data.clock()
  )
$$;
revoke all on function orderlatch_data.is_paused(integer) from public;
comment on function orderlatch_data.is_paused(integer) is
  'Whether the broker''s rate limit has not reset yet.';

-- Whether this life of a worker has proved to hold the keys of the account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_verified(p_worker_id integer, p_account_id integer)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from orderlatch_data.worker_accounts as c
     where c.worker_id = p_worker_id and c.account_id = p_account_id and c.verified_at is not null
  )
$$;
revoke all on function orderlatch_data.is_verified(integer, integer) from public;
comment on function orderlatch_data.is_verified(integer, integer) is
  'Whether get_account answered this life of a worker with the account''s broker_account_id.';
