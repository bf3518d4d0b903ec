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
  p_at_most integer
)
returns table (account_id integer, sure_of integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_left integer := p_how_many;
  v_held integer := 0;
begin
  -- a loop, because each account is a lock of its own, and the next one gets what those leave that are held
  for v_place in 1 .. coalesce(cardinality(p_account_ids), 0) loop
    exit when v_left = 0 or v_held = p_at_most;
    continue when p_shares[v_place] <= 0 or not orderlatch_data.try_begin_visit(p_account_ids[v_place]);
    account_id := p_account_ids[v_place];
    sure_of := least(p_shares[v_place], v_left);
    return next;
    v_left := v_left - sure_of;
    v_held := v_held + 1;
  end loop;
end
$$;
revoke all on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) from public;
comment on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) is
  'The first p_at_most accounts that no other session holds and whose shares, one after the other, fit into '
  'p_how_many; sure_of: how much of its share fits.';
