-- Words for something wrong with a delivered decision; a value is shown cut, a payload never.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.describe_problem(
  p_error_code text,
  p_member text,
  p_value jsonb,
  p_rule text,
  out error_code text,
  out error_message text,
  out error_detail text,
  out error_hint text
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_member constant text := to_json(left(p_member, 200))::text;
begin
  error_code := p_error_code;
  select c.name || ': ' ||
         case p_error_code
           when 'OL111' then 'no member of a decision is called ' || v_member
           when 'OL112' then v_member || ' is missing; it must be ' || p_rule
           else v_member || ' must be ' || p_rule
         end,
         c.next_step
    into error_message, error_hint
    from orderlatch.error_codes as c
   where c.sqlstate = p_error_code;
  error_detail := 'got ' ||
    case coalesce(jsonb_typeof(p_value), 'null')
      when 'null' then 'nothing'
      when 'string' then
        to_json(left(p_value #>> '{}', 60))::text ||
        case
          when length(p_value #>> '{}') > 60 then
            format(' and %s more characters', length(p_value #>> '{}') - 60)
          else ''
        end
      when 'number' then
        coalesce(orderlatch_data.canonical_decimal(p_value::numeric), 'a number of more than 64 digits')
      when 'boolean' then p_value::text
      else format('an %s of %s bytes', jsonb_typeof(p_value), pg_column_size(p_value))
    end;
end
$$;
revoke all on function orderlatch_data.describe_problem(text, text, jsonb, text) from public;
comment on function orderlatch_data.describe_problem(text, text, jsonb, text) is
  'Message, detail and hint for an error code, the member it is about, its value and its rule in words.';
