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
      perform orderlatch_data.open_incident(
        'unauthorized', p_account.account_id, null, p_request.request_id, '{}'
      );
      perform orderlatch_data.halt_account(p_account.account_id, 'unauthorized');
    else
      if orderlatch_data.end_back_off(p_account.account_id, p_request.kind) then
        -- what was missed meanwhile only a read can tell
        perform orderlatch_data.wish_reads(
          p_account.account_id, '{orders,open_orders,fills,positions}', 'the broker answers again'
        );
      end if;
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
