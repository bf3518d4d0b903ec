-- Notes what an answer says of the broker and the keys: back-offs, pauses, reads that succeeded.
-- Locks: none; the caller holds the account for answering unless it is a success. Raises: none.
create or replace function orderlatch_data.note_health(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_headers jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_meaning
    when 'not_sent', 'in_doubt', 'account_mismatch' then
      perform orderlatch_data.back_off(p_account, p_request.kind, p_request.claimed_at);
    when 'throttled' then
      perform orderlatch_data.pause_account(p_account, p_headers);
    when 'unauthorized' then
      perform orderlatch_data.back_off(p_account, p_request.kind, p_request.claimed_at);
      perform orderlatch_data.open_incident('unauthorized', p_account.account_id, null, p_request.request_id, '{}');
      perform orderlatch_data.halt_account(p_account.account_id, 'unauthorized');
    else
      perform orderlatch_data.end_back_off(p_account.account_id, p_request.kind);
      if p_request.kind <> 'submit_order' then
        update orderlatch_data.account_states as s
           set last_read_at = greatest(s.last_read_at, p_request.claimed_at)
         where s.account_id = p_account.account_id;
      end if;
  end case;
end
$$;
revoke all on function orderlatch_data.note_health(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.note_health(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'A call that failed makes its kind back off, a 429 pauses the account, an answer about the key halts it '
  'and opens the incident unauthorized; an answer ends the back-off, and one to a read also moves '
  'last_read_at, which frees the ceiling of doubts.';

-- Refuses answers from a login that is not bound to the account.
-- Locks: none. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.require_carrier(p_account orderlatch_data.accounts)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not orderlatch_data.login_may_act(p_account.account_id, null) then
    raise exception using
      errcode = 'OL301',
      message = format('login_not_bound: login %L may not record answers for account %L', session_user, p_account.account),
      hint = 'An operator binds logins to accounts with bind_login.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_carrier(orderlatch_data.accounts) from public;
comment on function orderlatch_data.require_carrier(orderlatch_data.accounts) is
  'Passes when session_user is bound to the whole account, else OL301 login_not_bound.';
