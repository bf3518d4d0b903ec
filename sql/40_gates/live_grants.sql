-- Allows submits for a live account until a moment, signed by the caller.
-- Locks: none. Raises: OL102, OL131, OL301.
create or replace function orderlatch.grant_live(p_account text, p_for interval, p_reason text)
returns timestamptz
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_now constant timestamptz := orderlatch_data.clock();
  v_utc constant timestamp := v_now at time zone 'UTC'; -- where every day has 24 hours
  v_until timestamptz;
begin
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_right('a live grant for this account', v_account.account_id, null);
  if v_account.environment <> 'live' then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: account %L is a paper account and needs no live grant', p_account);
  end if;
  -- its end is compared too: when intervals are, a month has 30 days and a year 360
  if (
    p_for > '0' and p_for <= '7 days' and v_utc + p_for between v_utc and v_utc + interval '7 days'
  ) is not true
  then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_for must be more than nothing and at most 7 days';
  end if;
  insert into orderlatch_data.live_grants as g (account_id, granted_at, granted_until, granted_by, reason)
  values (v_account.account_id, v_now, (v_utc + p_for) at time zone 'UTC', session_user, p_reason)
  returning g.granted_until into v_until;
  perform pg_notify('orderlatch', p_account);
  return v_until;
end
$$;
revoke all on function orderlatch.grant_live(text, interval, text) from public;
grant execute on function orderlatch.grant_live(text, interval, text) to orderlatch_operator;
comment on function orderlatch.grant_live(text, interval, text) is
  'Allows submits for a live account for a while. p_for: at most 7 days. p_reason: why, 1 to 500 '
  'characters. Returns its end. Raises OL102 account_unknown, OL131 argument_invalid, OL301 '
  'login_not_bound.';

-- Ends every live grant of an account: once it has returned, no submit is granted for it.
-- Locks: shutting, gate (at most 5 seconds). Raises: OL102, OL132, OL301.
create or replace function orderlatch.revoke_live(p_account text)
returns table (
  what text,
  account text,
  symbol text,
  decision_hash text,
  sent_by timestamptz,
  detail text
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_now constant timestamptz := orderlatch_data.clock();
begin
  -- a grant that this transaction cannot see would go on
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_right('a live grant for this account', v_account.account_id, null);
  perform orderlatch_data.make_durable();
  -- a clock that was set back does not keep a grant from ending
  update orderlatch_data.live_grants as g
     set granted_until = greatest(v_now, g.granted_at)
   where g.account_id = v_account.account_id and g.granted_until > v_now;
  perform orderlatch_data.shut_gate(v_account.account_id);
  return query
  select r.what, r.account, r.symbol, r.decision_hash, r.sent_by, r.detail
    from orderlatch_data.gate_report('revoked', v_account.account_id, null, null) as r;
end
$$;
revoke all on function orderlatch.revoke_live(text) from public;
grant execute on function orderlatch.revoke_live(text) to orderlatch_operator;
comment on function orderlatch.revoke_live(text) is
  'Ends every live grant of an account, and waits for claims as halt does. Returns rows as halt returns '
  'them: revoked, in flight, in the way. Raises OL102 account_unknown, OL132 isolation_unsupported, OL301 '
  'login_not_bound.';
