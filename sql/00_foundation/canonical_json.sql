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
  v_keys text[];
  v_key text;
  v_item jsonb;
  v_part text;
  v_text text := '';
begin
  if p_levels < 1 and jsonb_typeof(p_value) in ('object', 'array') then
    return null;
  end if;
  -- Loops, because it recurses: an aggregate that calls itself was three times slower on nested values. The
  -- call of itself stands alone: PL/pgSQL takes a slow way through an expression that is being evaluated.
  -- A part that has no spelling is null, and || carries the null to the whole.
  case jsonb_typeof(p_value)
    when 'object' then
      -- not a loop over a query: a cursor costs as much again
      select array_agg(k.key order by k.key collate "C") into v_keys
        from jsonb_object_keys(p_value) as k(key);
      foreach v_key in array coalesce(v_keys, '{}') loop
        v_item := p_value -> v_key;
        case jsonb_typeof(v_item)
          when 'object', 'array' then v_part := orderlatch_data.canonical_json(v_item, p_levels - 1);
          when 'number' then v_part := orderlatch_data.canonical_decimal(v_item::numeric);
          else v_part := v_item::text;
        end case;
        v_text := v_text || ',' || to_json(v_key)::text || ':' || v_part;
      end loop;
      return '{' || substr(v_text, 2) || '}';
    when 'array' then
      for v_place in 0 .. jsonb_array_length(p_value) - 1 loop
        v_item := p_value -> v_place;
        case jsonb_typeof(v_item)
          when 'object', 'array' then v_part := orderlatch_data.canonical_json(v_item, p_levels - 1);
          when 'number' then v_part := orderlatch_data.canonical_decimal(v_item::numeric);
          else v_part := v_item::text;
        end case;
        v_text := v_text || ',' || v_part;
      end loop;
      return '[' || substr(v_text, 2) || ']';
    when 'number' then
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
