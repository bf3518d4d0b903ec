-- Raises the problem that read_decision found.
-- Locks: none. Raises: OL110 to OL121, OL131, as told.
create or replace function orderlatch_data.raise_input_error(
  p_error_code text,
  p_error_message text,
  p_error_detail text,
  p_error_hint text
)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = p_error_code,
    message = p_error_message,
    detail = coalesce(p_error_detail, ''),
    hint = coalesce(p_error_hint, '');
end
$$;
revoke all on function orderlatch_data.raise_input_error(text, text, text, text) from public;
comment on function orderlatch_data.raise_input_error(text, text, text, text) is
  'Raises an error of read_decision where one bad decision fails the whole call.';

-- The hash of a decision, as it would be recorded; records nothing and needs no account to exist.
-- Locks: none. Raises: OL110 to OL121 for the decision, OL131 argument_invalid for the account's name.
create or replace function orderlatch.decision_hash(p_account text, p_decision jsonb)
returns text
language plpgsql
immutable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- as an element of an array, where it has the size that it is judged by: a table may keep it compressed
  v_read constant record := orderlatch_data.read_decision(p_account, jsonb_build_array(p_decision) -> 0);
begin
  if v_read.error_code is not null then
    perform orderlatch_data.raise_input_error(v_read.error_code, v_read.error_message, v_read.error_detail,
                                              v_read.error_hint);
  end if;
  return encode((v_read.decisions[1]).decision_hash, 'hex');
end
$$;
revoke all on function orderlatch.decision_hash(text, jsonb) from public;
grant execute on function orderlatch.decision_hash(text, jsonb) to orderlatch_strategy, orderlatch_operator;
comment on function orderlatch.decision_hash(text, jsonb) is
  'The decision hash (sha256 of the canonical intent, 64 lower-case hex digits) of a decision for an '
  'account; also the client_order_id of its order. docs/decision-hash.md says how to compute it in another '
  'language.';
