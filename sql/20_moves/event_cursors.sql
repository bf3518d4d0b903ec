-- Writes a mark as text, for a cursor.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.write_mark(p_mark orderlatch_data.event_mark)
returns text
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select concat_ws(
    '.',
    (extract(epoch from p_mark.server_started_at) * 1000000)::bigint, p_mark.home, p_mark.newest_event_id,
    (extract(epoch from p_mark.newest_server_started_at) * 1000000)::bigint, p_mark.snapshot
  )
$$;
revoke all on function orderlatch_data.write_mark(orderlatch_data.event_mark) from public;
comment on function orderlatch_data.write_mark(orderlatch_data.event_mark) is
  'The members of a mark, with dots between them; times in microseconds since 1970.';

-- Reads a mark that write_mark wrote.
-- Locks: none. Raises: 22P02, 22003 or 22008 when it is none.
create or replace function orderlatch_data.read_mark(p_mark text)
returns orderlatch_data.event_mark
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 'epoch'::timestamptz + m.parts[1]::bigint * interval '1 microsecond', m.parts[2]::bigint,
         m.parts[5]::pg_snapshot, m.parts[3]::bigint,
         'epoch'::timestamptz + m.parts[4]::bigint * interval '1 microsecond'
    from (select string_to_array(p_mark, '.') as parts) as m
   where cardinality(m.parts) = 5
$$;
revoke all on function orderlatch_data.read_mark(text) from public;
comment on function orderlatch_data.read_mark(text) is 'The mark in a text that write_mark wrote.';

-- Reads where a reader of events is.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.read_cursor(p_cursor text)
returns orderlatch_data.event_cursor
language plpgsql
stable
parallel restricted
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_parts constant text[] := string_to_array(p_cursor, '/');
  v_cursor orderlatch_data.event_cursor;
begin
  v_cursor.ahead := orderlatch_data.mark_events();
  v_cursor.last_event_id := 0;
  v_cursor.begins_now := true;
  if p_cursor is null then
    v_cursor.behind := row(
      pg_postmaster_start_time(), orderlatch_data.home(), '1:1:', 0, 'epoch'
    )::orderlatch_data.event_mark;
    return v_cursor;
  elsif p_cursor = 'now' then
    v_cursor.behind := v_cursor.ahead;
    return v_cursor;
  end if;
  begin
    v_cursor.behind := orderlatch_data.read_mark(v_parts[1]);
    if cardinality(v_parts) > 1 then
      v_cursor.ahead := orderlatch_data.read_mark(v_parts[2]);
      v_cursor.last_event_id := v_parts[3]::bigint;
      v_cursor.begins_now := false;
    end if;
  exception
    when invalid_text_representation or numeric_value_out_of_range or datetime_field_overflow then
      v_cursor := null;
  end;
  if cardinality(v_parts) not in (1, 3)
    or v_cursor is null
    or not (v_cursor.behind is not null and v_cursor.ahead is not null)
  then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_cursor is no cursor that events_since has returned',
      detail = format('it begins with %L', left(p_cursor, 60)),
      hint = 'Pass a returned cursor as it is, ''now'', or null for all events from the first.';
  end if;
  return v_cursor;
end
$$;
revoke all on function orderlatch_data.read_cursor(text) from public;
comment on function orderlatch_data.read_cursor(text) is
  'The marks in a cursor: behind, what was given before; ahead, the end of the batch that is under way, '
  'else of one that begins now; last_event_id, how much of it was given. Null: nothing was given yet; now: '
  'everything until now. OL131 argument_invalid.';
