-- Marks all events that are committed at this moment: what a reader has been given who was given everything.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.mark_events()
returns orderlatch_data.event_mark
language plpgsql
stable
parallel restricted
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_own constant xid8 := pg_current_xact_id_if_assigned();
  v_mark orderlatch_data.event_mark;
begin
  v_mark.server_started_at := pg_postmaster_start_time();
  v_mark.home := orderlatch_data.home();
  v_mark.snapshot := pg_current_snapshot();
  if v_own < pg_snapshot_xmax(v_mark.snapshot) then
    -- a snapshot takes its own transaction for committed, which may write more events yet
    v_mark.snapshot := concat_ws(
      ':', least(pg_snapshot_xmin(v_mark.snapshot), v_own), pg_snapshot_xmax(v_mark.snapshot),
      (
        select string_agg(x.xid::text, ',' order by x.xid)
          from (select pg_snapshot_xip(v_mark.snapshot) union select v_own) as x(xid)
      )
    )::pg_snapshot;
  end if;
  select e.event_id, e.server_started_at
    into v_mark.newest_event_id, v_mark.newest_server_started_at
    from orderlatch_data.decision_events as e
   where e.server_started_at <> v_mark.server_started_at
      or pg_visible_in_snapshot(e.xid, v_mark.snapshot)
   order by e.event_id desc
   limit 1;
  if not found then
    v_mark.newest_event_id := 0;
    v_mark.newest_server_started_at := v_mark.server_started_at;
  end if;
  return v_mark;
end
$$;
revoke all on function orderlatch_data.mark_events() from public;
comment on function orderlatch_data.mark_events() is
  'A mark of all events that the snapshot of the statement sees. Those of its own transaction are not part '
  'of it, so that they are found once they are committed.';

-- The newest event behind a mark that this database has too: after a restore, where the histories part.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.shared_event_id(p_mark orderlatch_data.event_mark)
returns bigint
language plpgsql
stable
parallel restricted
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_shared bigint;
begin
  if p_mark.server_started_at = pg_postmaster_start_time() then
    -- a dump that was restored into the server that it was taken from looks like the original, and is not
    return case when p_mark.home = orderlatch_data.home() then p_mark.newest_event_id else 0 end;
  end if;
  -- ids grow along a history, and an id with the start of its server names one event for ever: up to an
  -- event that both have, both are the same; what was written here after a restore has another start
  select e.event_id into v_shared
    from (
      select d.event_id, d.server_started_at
        from orderlatch_data.decision_events as d
       where d.event_id <= p_mark.newest_event_id
       order by d.event_id desc
       limit 100000
    ) as e
   where e.server_started_at = p_mark.newest_server_started_at
   order by e.event_id desc
   limit 1;
  return coalesce(v_shared, 0);
end
$$;
revoke all on function orderlatch_data.shared_event_id(orderlatch_data.event_mark) from public;
comment on function orderlatch_data.shared_event_id(orderlatch_data.event_mark) is
  'event_id up to which the events here are those of the server that made the mark. 0 when that is not '
  'known: the mark was made in another database of this server, or more than 100,000 events were written '
  'since a restore, or none of the server''s own is left.';
