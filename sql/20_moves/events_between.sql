-- The next events between two marks, oldest first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.events_between(
  p_behind orderlatch_data.event_mark,
  p_ahead orderlatch_data.event_mark,
  p_last_event_id bigint,
  p_how_many integer
)
returns setof orderlatch_data.decision_events
language plpgsql
stable
parallel restricted
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_behind constant bigint := orderlatch_data.shared_event_id(p_behind);
  v_ahead constant bigint := orderlatch_data.shared_event_id(p_ahead);
  -- p_ahead sees no later transaction of its server; after a restore those of another one may bear any number
  v_unseen_below constant xid8 := case
    when p_ahead.server_started_at = p_behind.server_started_at then pg_snapshot_xmax(p_ahead.snapshot)
    else '18446744073709551615'
  end;
begin
  -- Ids are not in the order of commits. After v_behind everything is new; up to it, only what was written by
  -- transactions that the mark did not see.
  return query
  with recursive unseen as (
    -- steps from transaction to transaction through the index; what follows the last is passed over once
    select pg_snapshot_xmax(p_behind.snapshot) as xid
    union all
    select (
             select e.xid
               from orderlatch_data.decision_events as e
              where e.xid > u.xid and e.xid < v_unseen_below and e.event_id <= v_behind
              order by e.xid
              limit 1
           )
      from unseen as u
     where u.xid is not null
  )
  select n.*
    from (
      select e.*
        from (select u.xid from unseen as u union all select pg_snapshot_xip(p_behind.snapshot)) as r
       cross join lateral (
         select d.*
           from orderlatch_data.decision_events as d
          where d.xid = r.xid
            and orderlatch_data.misses_event(p_behind, d.xid, d.server_started_at, d.xmin)
            and not orderlatch_data.misses_event(p_ahead, d.xid, d.server_started_at, d.xmin)
         offset 0
       ) as e
       where p_last_event_id < v_behind
         and e.event_id > p_last_event_id
         and e.event_id <= v_behind
      union all
      (
        select e.*
          from orderlatch_data.decision_events as e
         where e.event_id > greatest(v_behind, p_last_event_id)
           and e.event_id <= v_ahead
           and (pg_visible_in_snapshot(e.xid, p_ahead.snapshot)
                or not orderlatch_data.misses_event(p_ahead, e.xid, e.server_started_at, e.xmin))
         order by e.event_id
         limit p_how_many
      )
    ) as n
   order by n.event_id
   limit p_how_many;
end
$$;
revoke all on function orderlatch_data.events_between(
  orderlatch_data.event_mark, orderlatch_data.event_mark, bigint, integer
) from public;
comment on function orderlatch_data.events_between(
  orderlatch_data.event_mark, orderlatch_data.event_mark, bigint, integer
) is
  'At most p_how_many events that p_ahead has and p_behind has not, with an id after p_last_event_id, by '
  'event_id: those of one decision come in the order in which they happened.';

-- Whether a mark does not have an event, as far as the transaction that wrote it tells.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.misses_event(
  p_mark orderlatch_data.event_mark,
  p_xid xid8,
  p_server_started_at timestamptz,
  p_row_xid xid
)
returns boolean
language plpgsql
stable
parallel restricted
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return not pg_visible_in_snapshot(p_xid, p_mark.snapshot)
    -- of another start all was seen, but for what was prepared then and not committed yet; a row that is
    -- older than its transaction is one of a restore, and the number is one of another server
    and (
      p_server_started_at = p_mark.server_started_at
      or (
        p_xid < pg_snapshot_xmax(p_mark.snapshot)
        and p_mark.home = orderlatch_data.home()
        and age(p_row_xid) <= age(p_xid::xid)
      )
    );
end
$$;
revoke all on function orderlatch_data.misses_event(orderlatch_data.event_mark, xid8, timestamptz, xid)
  from public;
comment on function orderlatch_data.misses_event(orderlatch_data.event_mark, xid8, timestamptz, xid) is
  'p_xid, p_server_started_at: of the event; p_row_xid: xmin of its row, which is the same or, of a '
  'savepoint, higher. Only a transaction that was prepared outlives the start of its server.';
