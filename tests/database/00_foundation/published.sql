-- Beside a publication of all tables, as an upgrade by logical replication makes it, everything goes on.
-- Postgres refuses to change a row of a table that has neither a primary key nor a replica identity.
begin;
select plan(2);

-- without the warning that this server publishes nothing: its wal_level is not logical
set local client_min_messages = error;
create publication everything for all tables;
set local client_min_messages = warning;

select is(
  array(
    select c.relname::text
      from pg_class as c
     where c.relnamespace = 'orderlatch_data'::regnamespace
       and c.relkind = 'r'
       and c.relreplident <> 'f'
       and not exists (select 1 from pg_index as i where i.indrelid = c.oid and i.indisprimary)
  ),
  '{chain_starts}', 'a subscriber can tell the rows of every table apart but of the one that has a single row for ever'
);

select test.given_account('paper');
select is(
  test.status(test.given_decision_in('submitted', test.given_worker())), 'submitted',
  'a decision lives while every table is published'
);

select * from finish();
rollback;
