-- The key of a signal: what a decision answers, and what only one live decision may answer.
-- Locks: none. Raises: none; null when a part is null.
create or replace function orderlatch_data.signal_key(
  p_account_id integer,
  p_strategy_id text,
  p_symbol text,
  p_timeframe text,
  p_event_ts timestamptz,
  p_leg text
)
returns uuid
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Its second first, from year 1 on, so that the index of live signals grows at one end.
  -- Then a JSON array, because texts set side by side are ambiguous: ('ab', 'c') and ('a', 'bc').
  return (
    lpad(to_hex(floor(extract(epoch from p_event_ts))::bigint + 62135596800), 10, '0')
    || encode(substr(sha256(convert_to(
      concat(
        '[', p_account_id, ',', to_json(p_strategy_id), ',', to_json(p_symbol), ',',
        to_json(p_timeframe), ',"',
        orderlatch_data.canonical_time(p_event_ts), '",', to_json(p_leg), ']'
      ),
      'UTF8')), 1, 11), 'hex')
  )::uuid;
end
$$;
revoke all on function orderlatch_data.signal_key(integer, text, text, text, timestamptz, text) from public;
comment on function orderlatch_data.signal_key(integer, text, text, text, timestamptz, text) is
  'The second of p_event_ts, in 5 bytes, and the first 11 bytes of a sha256 over the parts of a signal, all '
  'in canonical form; p_leg is empty when there is one leg.';
