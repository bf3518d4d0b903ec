-- What is wrong with a decision that only its intent shows: its size, its params, a hash that is not its own.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_intent_problem(
  p_decision jsonb,
  p_intent text,
  p_decision_hash bytea,
  out error_code text,
  out member text,
  out value jsonb,
  out rule text
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_intent is null then
    select p.error_code, p.member, p.value, p.rule
      into error_code, member, value, rule
      from orderlatch_data.find_json_problem('params', p_decision -> 'params') as p;
  elsif octet_length(p_intent) > 16384 then
    -- Every other member is bounded to far less.
    error_code := 'OL117';
    member := 'params';
    value := p_decision -> 'params';
    rule := 'small enough for an intent of 16384 bytes';
  elsif p_decision ->> 'decision_hash' <> encode(p_decision_hash, 'hex') then
    error_code := 'OL121';
    member := 'decision_hash';
    value := p_decision -> 'decision_hash';
    rule := encode(p_decision_hash, 'hex') || ', the hash of this decision';
  end if;
end
$$;
revoke all on function orderlatch_data.find_intent_problem(jsonb, text, bytea) from public;
comment on function orderlatch_data.find_intent_problem(jsonb, text, bytea) is
  'The first thing wrong with an otherwise sound decision, its canonical intent and its hash: error code, '
  'member, value and the rule in words; all null when nothing is. A null intent means that params have no '
  'canonical JSON.';
