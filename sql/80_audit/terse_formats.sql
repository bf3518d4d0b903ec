-- How long ago something was, in two units at most: 12 s, 3 min 20 s, 2 h 15 min, 3 d 4 h.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.terse_age(p_at timestamptz)
returns text
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_seconds constant bigint := extract(epoch from orderlatch_data.clock() - p_at)::bigint;
begin
  return case
    when v_seconds is null then null
    when v_seconds < 60 then format('%s s', v_seconds)
    when v_seconds < 3600 then format('%s min %s s', v_seconds / 60, v_seconds % 60)
    when v_seconds < 86400 then format('%s h %s min', v_seconds / 3600, v_seconds / 60 % 60)
    else format('%s d %s h', v_seconds / 86400, v_seconds / 3600 % 24)
  end;
end
$$;
revoke all on function orderlatch_data.terse_age(timestamptz) from public;
grant execute on function orderlatch_data.terse_age(timestamptz) to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.terse_age(timestamptz) is
  'By the database''s clock, which only the owner may ask by name; null for null. Negative seconds: it is '
  'still to come.';

-- A moment as people on call read it: the time of day when it is today, else with its date.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.terse_time(p_at timestamptz)
returns text
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when not isfinite(p_at) then p_at::text
    when p_at::date = orderlatch_data.clock()::date then to_char(p_at, 'HH24:MI:SS')
    when date_trunc('year', p_at) = date_trunc('year', orderlatch_data.clock())
    then to_char(p_at, 'MM-DD HH24:MI')
    else to_char(p_at, 'YYYY-MM-DD')
  end;
end
$$;
revoke all on function orderlatch_data.terse_time(timestamptz) from public;
grant execute on function orderlatch_data.terse_time(timestamptz) to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.terse_time(timestamptz) is
  'At most 11 characters, in the time zone of the session: HH:MI:SS of today, MM-DD HH:MI of this year, else '
  'the date.';

-- A text cut to some characters, in one line, with a mark where it was cut.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.terse_text(p_text text, p_characters integer)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- what a terminal would obey, or a table could not hold, is not shown
  v_line constant text := regexp_replace(p_text, '[[:cntrl:]]+', ' ', 'g');
begin
  return case when length(v_line) > p_characters then left(v_line, p_characters - 1) || '~' else v_line end;
end
$$;
revoke all on function orderlatch_data.terse_text(text, integer) from public;
grant execute on function orderlatch_data.terse_text(text, integer) to
  orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.terse_text(text, integer) is 'p_characters: the most, 2 or more.';

-- A number of dollars, shares or the like as people read it, in few characters.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.terse_number(p_number numeric)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_plain constant text := trim_scale(p_number)::text;
begin
  return case
    when length(v_plain) <= 11 then v_plain
    when abs(p_number) < 10000000000
    then trim_scale(round(p_number, greatest(0, 9 - length(trunc(abs(p_number))::text))))::text
    else ltrim(to_char(p_number, '9.999EEEE'))
  end;
end
$$;
revoke all on function orderlatch_data.terse_number(numeric) from public;
grant execute on function orderlatch_data.terse_number(numeric) to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.terse_number(numeric) is
  'Without zeros at its end; what would take more than 11 characters is rounded.';
