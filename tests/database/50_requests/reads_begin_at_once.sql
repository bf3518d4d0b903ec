-- The claim that begins a read is granted its first page, though time passes between the two.
begin;
select plan(2);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create sequence test.ticks;
grant usage on sequence test.ticks to public;
-- From now on each look at the clock is a microsecond after the one before.
create function pg_temp.let_time_pass()
returns void
language plpgsql
as $$
begin
  execute format(
    $clock$
      create or replace function orderlatch_data.clock()
      returns timestamptz
      language plpgsql
      volatile
      set search_path = pg_catalog, pg_temp
      as $tick$
      begin
        return %L::timestamptz + nextval('test.ticks') * interval '1 microsecond';
      end
      $tick$
    $clock$,
    orderlatch_data.clock()
  );
end
$$;

select test.given_mirrored_account();
create temporary table worlds as select test.given_worker() as mirrored;
select test.given_account('second');
alter table worlds add column other integer;
update worlds set other = test.given_worker('second');
create temporary table doubts as
  select test.given_decision_in('in_doubt', w.other) as decision_hash from worlds as w;
select test.given_absent_twice(w.other, d.decision_hash) from worlds as w, doubts as d;

select pg_temp.let_time_pass();
select ok('list_orders' = any (test.kinds(w.mirrored)), 'a standing read begins with its first page') from worlds as w;
select is(test.kinds(w.other), '{list_orders}', 'a read for a proof of absence too') from worlds as w;

select * from finish();
rollback;
