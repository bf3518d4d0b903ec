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
     and pg_try_advisory_xact_lock(orderlatch_data.lock_class('granting'), p_account_id);
end
$$;
revoke all on function orderlatch_data.try_begin_visit(integer) from public;
comment on function orderlatch_data.try_begin_visit(integer) is
  'False where another claim holds the account, or the login may not act for it any more.';
