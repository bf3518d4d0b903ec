-- Refuses an account another identity while orders of it may be at the broker account that it is now.
-- Locks: none; the caller holds the account for granting. Raises: OL309 submits_unsettled.
create or replace function orderlatch_data.require_settled_submits(
  p_account orderlatch_data.accounts,
  p_broker_account_id text
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unsettled bigint;
begin
  if coalesce(p_account.broker_account_id = p_broker_account_id, p_account.broker_account_id is null) then
    return;
  end if;
  select count(*) into v_unsettled
    from orderlatch_data.open_decisions as o
   where o.account_id = p_account.account_id and o.status in ('submitting', 'in_doubt');
  if v_unsettled > 0 then
    raise exception using
      errcode = 'OL309',
      message = format(
        'submits_unsettled: %s submits of account %L are on their way or in doubt', v_unsettled,
        p_account.account
      ),
      detail = 'Their orders would be looked for at the other broker account, which has none of them: they '
        'would be taken for absent, and sent again.',
      hint = 'Wait for them, or look at the broker account of before and settle them with resolve_in_doubt.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_settled_submits(orderlatch_data.accounts, text) from public;
comment on function orderlatch_data.require_settled_submits(orderlatch_data.accounts, text) is
  'Passes an account that has no identity yet, one that keeps its own, and one without a decision that is '
  'submitting or in doubt; else OL309 submits_unsettled. p_broker_account_id: what is to become of it; '
  'null: it forgets.';
