-- Reads raw bytes as JSON, or returns null when they are not.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_json(p_body bytea)
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return convert_from(p_body, 'UTF8')::jsonb;
exception
  when invalid_text_representation    -- no JSON, or a lone surrogate
    or untranslatable_character       -- \u0000, which jsonb cannot hold
    or character_not_in_repertoire    -- no UTF-8
    or numeric_value_out_of_range     -- a number that numeric cannot hold
    or program_limit_exceeded         -- an element longer than jsonb can hold
    or statement_too_complex          -- nested deeper than the stack
  then
    return null;
end
$$;
revoke all on function orderlatch_data.read_json(bytea) from public;
comment on function orderlatch_data.read_json(bytea) is
  'The body as jsonb; null when it is no JSON that jsonb can hold, or no UTF-8.';

-- Decodes base64, or returns null when it is none.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_base64(p_text text)
returns bytea
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return decode(p_text, 'base64');
exception
  when invalid_parameter_value then
    return null;
end
$$;
revoke all on function orderlatch_data.read_base64(text) from public;
comment on function orderlatch_data.read_base64(text) is
  'The decoded bytes; null when the text is no base64.';

-- Reads a decimal of a broker's document, which may be a string or a number.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_decimal(p_value jsonb)
returns numeric
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when jsonb_typeof(p_value) in ('string', 'number')
      and length(p_value #>> '{}') <= 80
      and p_value #>> '{}' ~ '^-?[0-9]+([.][0-9]+)?$'
      then (p_value #>> '{}')::numeric
  end;
end
$$;
revoke all on function orderlatch_data.read_decimal(jsonb) from public;
comment on function orderlatch_data.read_decimal(jsonb) is
  'The number in a JSON string or number, of at most 80 characters; null for anything else.';

-- Reads the client_order_id of a broker's order as a decision hash.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_decision_hash(p_order jsonb)
returns bytea
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when length(p_order ->> 'client_order_id') = 64 and p_order ->> 'client_order_id' !~ '[^0-9a-f]'
      then decode(p_order ->> 'client_order_id', 'hex')
  end;
end
$$;
revoke all on function orderlatch_data.read_decision_hash(jsonb) from public;
comment on function orderlatch_data.read_decision_hash(jsonb) is
  'The 32 bytes of a client_order_id of 64 lower-case hex digits; null for any other: such an order is not '
  'ours.';

-- Reads a time of a broker's document, to the microsecond.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_broker_time(p_value jsonb)
returns timestamptz
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- the broker writes up to nine digits; cutting to six never moves a time forward
  return case
    when jsonb_typeof(p_value) = 'string'
      then orderlatch_data.parse_time(
        case
          when ltrim(substr(p_value #>> '{}', 27), '0123456789') = 'Z' then left(p_value #>> '{}', 26) || 'Z'
          else regexp_replace(p_value #>> '{}', '([.][0-9]{6})[0-9]{1,3}(?=[Z+-])', E'\\1')
        end
      )
  end;
end
$$;
revoke all on function orderlatch_data.read_broker_time(jsonb) from public;
comment on function orderlatch_data.read_broker_time(jsonb) is
  'The RFC 3339 time in a JSON string, cut to microseconds; null for anything else.';
