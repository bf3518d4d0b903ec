-- Reads an ISO 8601 time with a zone; null when it is not one, so that a bad time costs only its own row.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.parse_time(p_text text)
returns timestamptz
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_zone text;
  v_offset text;
  v_time timestamp;
begin
  if length(p_text) > 64 or p_text collate "C" !~
    '^[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31|02-29)'
    '[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6}0*)?)?'
    '([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$'
    or left(p_text, 4) = '0000'
  then
    return null;
  end if;
  -- What the pattern cannot know: a 29th of February may be the 1st of March.
  if substr(p_text, 6, 5) = '02-29' then
    if extract(month from make_date(left(p_text, 4)::integer, 2, 1) + 28) <> 2 then
      return null;
    end if;
  end if;
  -- Without its zone: a cast to a time with one heeds settings, and knows names. What passed so far has one
  -- reading, whatever DateStyle says, and cannot raise.
  if right(p_text, 1) in ('Z', 'z') then
    return left(p_text, -1)::timestamp at time zone 'UTC';
  end if;
  v_zone := substring(substr(p_text, 17), '[+-].*$');
  v_offset := replace(v_zone, ':', '');
  v_time := left(p_text, -length(v_zone))::timestamp - make_interval(
    hours => left(v_offset, 3)::integer,
    mins => (left(v_offset, 1) || '0' || substr(v_offset, 4))::integer);
  if v_time < make_timestamp(1, 1, 1, 0, 0, 0) or v_time >= make_timestamp(10000, 1, 1, 0, 0, 0) then
    return null;
  end if;
  return v_time at time zone 'UTC';
end
$$;
revoke all on function orderlatch_data.parse_time(text) from public;
comment on function orderlatch_data.parse_time(text) is
  'Time of an ISO 8601 text with Z or a numeric offset, at most six significant fractional digits of a '
  'second, in the years 0001 to 9999 of UTC. Null for any other text.';

-- The one spelling of a time: UTC, six fractional digits, Z.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.canonical_time(p_time timestamptz)
returns text
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end
$$;
revoke all on function orderlatch_data.canonical_time(timestamptz) from public;
comment on function orderlatch_data.canonical_time(timestamptz) is
  'A time of the years 0001 to 9999 as YYYY-MM-DDTHH:MM:SS.ffffffZ, whatever TimeZone and DateStyle say.';
