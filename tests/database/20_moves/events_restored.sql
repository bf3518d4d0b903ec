-- After a failover or a restore a cursor of the server before goes on where the histories part.
-- Events of three servers: one long ago, the one that made the cursors, and this one. Transaction numbers of one say
-- nothing of another's.
create schema past;
create function past.server(p_name text)
returns timestamptz
language sql
stable
as $$
  select case p_name
    when 'old' then '2026-01-01 00:00:00Z'::timestamptz
    when 'before' then '2026-02-01 00:00:00Z'
    when 'this' then pg_postmaster_start_time()
  end
$$;
-- A cursor of the server before: newest event, and a snapshot.
create function past.cursor(
  p_newest bigint,
  p_snapshot text,
  p_newest_server text default 'before',
  p_server text default 'before',
  p_home bigint default orderlatch_data.home()
)
returns text
language sql
stable
as $$
  select orderlatch_data.write_mark(
           row(past.server(p_server), p_home, p_snapshot::pg_snapshot, p_newest, past.server(p_newest_server))
         )
$$;
create function past.given(p_cursor text, p_how_many integer default 100)
returns bigint[]
language sql
as $$
  select array_agg(e.event_id order by e.event_id) filter (where e.event_id is not null)
    from orderlatch.events_since(p_cursor, p_how_many) as e
$$;
select test.given_account();
select test.given_decision();
set session_replication_role = replica;
update orderlatch_data.decision_events set server_started_at = past.server('old'), xid = '77';
create function past.write(p_event_id bigint, p_server text, p_xid text)
returns void
language sql
as $$
  insert into orderlatch_data.decision_events
    (decision_id, event_id, from_status, to_status, moved_at, moved_by, reason, server_started_at, xid, event_hash)
  overriding system value
  values (1, p_event_id, 'none', 'planned', clock_timestamp(), 'x', 'x', past.server(p_server), p_xid::xid8, '')
$$;
select past.write(2, 'old', '9000000000'), past.write(3, 'before', '5000000000'), past.write(4, 'before', '5000000002'),
       past.write(5, 'before', '5000000001'), past.write(6, 'before', '5000000007');
-- and one of this server, whose number the server before had given to another transaction
select past.write(7, 'this', pg_current_xact_id()::text);
reset session_replication_role;

begin;
select plan(17);
select is(past.given(null), '{1,2,3,4,5,6,7}', 'everything comes, whoever wrote it');
select is(past.given(orderlatch_data.write_mark(orderlatch_data.mark_events())), null, 'after everything nothing does');

-- the server before had given all that is here
select is(past.given(past.cursor(6, '5000000008:5000000008:')), '{7}', 'what this server wrote comes');
select is(
  past.given(past.cursor(6, '5000000001:5000000008:5000000001')), '{5,7}',
  'so does what was under way when the cursor was made'
);
select is(
  past.given(past.cursor(4, '5000000001:5000000003:5000000001')), '{5,6,7}', 'and what came after it'
);
select is(
  past.given(past.cursor(6, '5000000001:5000000001:')), '{4,5,6,7}',
  'a transaction that began before the cursor and ends after it need not be in its list'
);

-- the server before had given more than was saved
select is(past.given(past.cursor(9, '5000000020:5000000020:')), '{7}', 'of what was lost, ids may be given again: that comes');
select is(
  past.given(past.cursor(7, '5000000020:5000000020:')), '{7}', 'an event with the id of the newest one given is not taken for it'
);
select is(
  past.given(past.cursor(9, '5000000001:5000000020:5000000001')), '{5,7}', 'as what was under way does'
);

-- nothing of the server that made the cursor is left
select is(
  past.given(past.cursor(2, '100:100:', 'old')), '{3,4,5,6,7}', 'a server that had written nothing goes by the one before it'
);
select is(
  past.given(past.cursor(9, '100:100:', 'this', 'this', 42)), '{1,2,3,4,5,6,7}',
  'a cursor of another database of this server says nothing here: everything comes again'
);
create function past.unknown_cursor()
returns text
language sql
as $$
  select orderlatch_data.write_mark(
           row('2026-02-15 00:00:00Z', orderlatch_data.home(), '100:100:'::pg_snapshot, 9, '2026-02-15 00:00:00Z')
         )
$$;
select is(past.given(past.unknown_cursor()), '{1,2,3,4,5,6,7}', 'nor does one of a server of which nothing is left');

-- the server before was in the middle of a batch
select is(
  past.given(past.cursor(2, '100:100:', 'old') || '/' || past.cursor(6, '5000000008:5000000008:') || '/4', 2), '{5,6}',
  'a batch that was under way goes on'
);
select is(
  past.given(
    (select e.cursor
       from orderlatch.events_since(
              past.cursor(2, '100:100:', 'old') || '/' || past.cursor(6, '5000000008:5000000008:') || '/4'
            ) as e
      where e.event_id is null)
  ),
  '{7}', 'and then comes what this server wrote'
);
select is(
  past.given(past.cursor(2, '100:100:', 'old') || '/' || past.cursor(9, '5000000008:5000000008:') || '/6'), null,
  'a batch whose end is lost ends where the histories part'
);
select is(
  past.given(
    (select e.cursor
       from orderlatch.events_since(
              past.cursor(2, '100:100:', 'old') || '/' || past.cursor(9, '5000000008:5000000008:') || '/6'
            ) as e
      where e.event_id is null)
  ),
  '{7}', 'and goes on from there'
);
select is(
  (select count(distinct e.event_key) from orderlatch.events_since() as e), 7::bigint, 'every event has a key of its own'
);
select * from finish();
rollback;
