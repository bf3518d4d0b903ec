-- Who follows events in the transaction that writes them misses none: they come when they are committed.
select test.given_account();
select test.given_decision();
select cursor as before from orderlatch.events_since('now') \gset

begin;
select plan(6);
select test.given_decision();
select results_eq(
  format('select e.event_id, e.caught_up from orderlatch.events_since(%L) as e', :'before'), 'values (null::bigint, true)',
  'what is not committed does not come, not in its own transaction either'
);
create temporary table inside as select e.cursor from orderlatch.events_since('now') as e;
savepoint deeper;
select test.given_decision();
create temporary table deeper as select e.cursor from orderlatch.events_since(null) as e where e.caught_up;
release savepoint deeper;
select is((select count(*) from orderlatch.events_since(null)), 2::bigint, 'nor from within a savepoint');
select test.given_decision();
commit;

select results_eq(
  format('select e.event_id from orderlatch.events_since(%L) as e', c.cursor), 'values (2::bigint), (3), (4), (null)',
  'afterwards a cursor from ' || c.place || ' has all of it before it'
)
  from (
    select 'before it', :'before'
    union all
    select 'inside it', i.cursor from inside as i
    union all
    select 'a savepoint of it', d.cursor from deeper as d
  ) as c(place, cursor);

begin isolation level repeatable read;
select is((select count(*) from orderlatch.events_since(null)), 5::bigint, 'any isolation level will do');
rollback;
select * from finish();
