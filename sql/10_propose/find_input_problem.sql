-- The first thing wrong with a delivered decision; what only its intent can show is left to read_decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_input_problem(
  p_account text,
  p_decision jsonb,
  p_account_id integer,
  p_member_problem jsonb,
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
declare
  v_member_problem jsonb := p_member_problem;
begin
  -- an account that exists has a name
  if p_account_id is null then
    if coalesce(length(p_account) not between 1 and 64
                or p_account collate "C" ~ E'[\u0001-\u001f\u007f-\u009f]', true) then
      error_code := 'OL131';
      member := 'p_account';
      value := to_jsonb(p_account);
      rule := 'a text of 1 to 64 characters without control characters';
      return;
    end if;
    v_member_problem := orderlatch_data.find_member_problems(jsonb_build_array(p_decision)) -> '1';
  end if;
  if jsonb_typeof(p_decision) is distinct from 'object' then
    error_code := 'OL110';
    member := 'p_decision';
    value := p_decision;
    rule := 'a JSON object';
  -- so large that find_member_problems has not looked at it
  elsif pg_column_size(p_decision) > 262144 then
    error_code := 'OL117';
    member := 'p_decision';
    value := p_decision;
    rule := 'at most 262144 bytes as jsonb';
  elsif v_member_problem is not null then
    error_code := v_member_problem ->> 'error_code';
    member := v_member_problem ->> 'member';
    value := v_member_problem -> 'value';
    rule := v_member_problem ->> 'rule';
  elsif p_decision ?| '{account,metadata}' then
    if jsonb_typeof(p_decision -> 'metadata') = 'object' then
      select p.error_code, p.member, p.value, p.rule
        into error_code, member, value, rule
        from orderlatch_data.find_json_problem('metadata', p_decision -> 'metadata') as p;
    end if;
    if error_code is null and p_decision ->> 'account' <> p_account then
      error_code := 'OL120';
      member := 'account';
      value := p_decision -> 'account';
      rule := 'the account that the decision is delivered for, or left out';
    end if;
  end if;
end
$$;
revoke all on function orderlatch_data.find_input_problem(text, jsonb, integer, jsonb) from public;
comment on function orderlatch_data.find_input_problem(text, jsonb, integer, jsonb) is
  'The first thing wrong with a decision as it was delivered for p_account: error code, member, value and '
  'the rule in words; all null when nothing is. p_account_id, p_member_problem: as read_decision has them. '
  'The size of params is judged with the intent that holds them.';
