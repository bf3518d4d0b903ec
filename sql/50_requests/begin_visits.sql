-- Holds an account for a visit, or says at once that it is not to be had.
-- Locks: account (granting, try). Raises: none.
create or replace function orderlatch_data.try_begin_visit(p_account_id integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return orderlatch_data.login_may_act(p_account_id, null)
     and orderlatch_data.try_lock_account('granting', p_account_id);
end
$$;
revoke all on function orderlatch_data.try_begin_visit(integer) from public;
comment on function orderlatch_data.try_begin_visit(integer) is
  'False where another claim holds the account, or the login may not act for it any more.';

-- Holds for a visit the accounts of a queue that are sure of slots, as far as they are to be had.
-- Locks: accounts (granting, try). Raises: none.
create or replace function orderlatch_data.begin_visits(
  p_account_ids integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  out account_ids integer[],
  out sure_of integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_left integer := p_how_many;
  v_may integer;
begin
  account_ids := '{}';
  sure_of := '{}';
  -- a loop, because each account is a lock of its own, and the next one gets what those leave that are held
  for v_place in 1 .. cardinality(p_account_ids) loop
    exit when v_left = 0 or cardinality(account_ids) = p_at_most;
    v_may := least(p_shares[v_place], v_left);
    continue when v_may <= 0 or not orderlatch_data.try_begin_visit(p_account_ids[v_place]);
    account_ids := account_ids || p_account_ids[v_place];
    sure_of := sure_of || v_may;
    v_left := v_left - v_may;
  end loop;
end
$$;
revoke all on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) from public;
comment on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) is
  'account_ids: the first p_at_most accounts that no other session holds and whose shares, one after the '
  'other, fit into p_how_many; sure_of: how much of its share fits.';
