-- The one spelling of a JSON value; null when it nests deeper than p_levels or holds a number past 64 digits.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.canonical_json(p_value jsonb, p_levels integer)
returns text
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key text;
  v_item jsonb;
  v_text text := '';
begin
  -- Loops, because it recurses: an aggregate that calls itself was three times slower on nested values.
  -- A part that has no spelling is null, and || carries the null to the whole.
  case jsonb_typeof(p_value)
    when 'object' then
      for v_key, v_item in
        select to_json(member.key)::text, member.value
        from jsonb_each(p_value) as member
        where p_levels > 0
        order by member.key collate "C"
      loop
        v_text := v_text || ',' || v_key || ':' ||
          case when jsonb_typeof(v_item) in ('string', 'boolean', 'null') then v_item::text
               else orderlatch_data.canonical_json(v_item, p_levels - 1) end;
      end loop;
      return case when p_levels > 0 then '{' || substr(v_text, 2) || '}' end;
    when 'array' then
      for v_item in
        select element.value
        from jsonb_array_elements(p_value) with ordinality as element(value, place)
        where p_levels > 0
        order by element.place
      loop
        v_text := v_text || ',' ||
          case when jsonb_typeof(v_item) in ('string', 'boolean', 'null') then v_item::text
               else orderlatch_data.canonical_json(v_item, p_levels - 1) end;
      end loop;
      return case when p_levels > 0 then '[' || substr(v_text, 2) || ']' end;
    when 'number' then
      -- Most numbers are short, and a call to be sure of it would double their cost.
      if abs(p_value::numeric) < 1e32 and scale(p_value::numeric) <= 32 then
        return trim_scale(p_value::numeric)::text;
      end if;
      return orderlatch_data.canonical_decimal(p_value::numeric);
    else
      return p_value::text;
  end case;
end
$$;
revoke all on function orderlatch_data.canonical_json(jsonb, integer) from public;
comment on function orderlatch_data.canonical_json(jsonb, integer) is
  'Canonical JSON: no white space, members sorted by key in code point order, canonical decimals. '
  'p_levels: how many objects and arrays may lie inside each other, the value itself included. Null when '
  'that or 64 digits is exceeded.';
