-- Draws the consequence of the broker naming the account.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.apply_identity(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_named constant text := left(p_document ->> 'id', 128);
  v_expected text;
begin
  if p_meaning <> 'account_named' then
    return p_meaning;
  end if;
  -- Who gives the account another identity takes back, at the end, whatever was verified: held before the
  -- identity is read, this row comes before or after that. While it goes on nobody knows; it is asked again.
  perform 1
     from orderlatch_data.worker_accounts as c
    where c.worker_id = p_request.worker_id and c.account_id = p_account.account_id
      for no key update skip locked;
  if not found then
    perform orderlatch_data.note_health(p_account, p_request, 'in_doubt', null);
    return 'in_doubt';
  end if;
  -- a paper account learns its id at first contact, unless it is another account's already: then the keys are
  -- that account's; later its row is left alone, as an operator may hold it
  update orderlatch_data.accounts as a
     set broker_account_id = v_named
   where a.account_id = p_account.account_id
     and a.broker_account_id is null
     and not exists (select 1 from orderlatch_data.accounts as b where b.broker_account_id = v_named);
  select a.broker_account_id into strict v_expected
    from orderlatch_data.accounts as a
   where a.account_id = p_account.account_id;
  update orderlatch_data.worker_accounts as c
     set verified_at = case when v_named = v_expected then orderlatch_data.clock() end
   where c.worker_id = p_request.worker_id and c.account_id = p_account.account_id;
  if v_named = v_expected then
    perform orderlatch_data.note_health(p_account, p_request, 'account_verified', null);
    perform orderlatch_data.wish_reads(
      p_account.account_id, '{orders,open_orders,fills,positions}', 'a worker started'
    );
    perform pg_notify('orderlatch', p_account.account);
    return 'account_verified';
  end if;
  perform orderlatch_data.note_health(p_account, p_request, 'account_mismatch', null);
  perform orderlatch_data.open_incident(
    'account_mismatch', p_account.account_id, null, p_request.request_id,
    jsonb_strip_nulls(
      jsonb_build_object(
        'expected', v_expected,
        'named', v_named,
        'known_as', (select b.account from orderlatch_data.accounts as b where b.broker_account_id = v_named)
      )
    )
  );
  perform orderlatch_data.halt_account(p_account.account_id, 'account_mismatch');
  return 'account_mismatch';
end
$$;
revoke all on function orderlatch_data.apply_identity(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_identity(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What get_account''s answer does: account_verified when the broker names the account''s '
  'broker_account_id; else account_mismatch, an incident and a halt: the keys belong to another account; '
  'in_doubt while an operator is giving it another. '
  'Until verified, a life of a worker is granted nothing else.';
