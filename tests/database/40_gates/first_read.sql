-- Which read of an account counts as the first one since a moment: a page of its orders that was asked for since, and answered.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account(a) from unnest('{paper,other}'::text[]) as a;
select test.given_worker('paper', 'other') as worker \gset
create function pg_temp.answered(p_account text, p_what text, p_status integer default 200) returns text language sql volatile as $$
  select test.record(test.answer_status(b.request_id, p_status, '[]'))
    from orderlatch_data.broker_reads as b
   where b.account_id = test.account_id(p_account) and b.purpose = p_what
$$;
create function pg_temp.first_read() returns text language sql volatile as $$
  select to_char(orderlatch_data.first_read_since(test.account_id('paper'), '2026-03-02 15:01:00Z') at time zone 'UTC', 'HH24:MI:SS')
$$;

-- One that was asked for before is answered later.
select test.kinds(:worker);
select test_support.hold_clock('2026-03-02 15:01:01Z');
select is(pg_temp.answered('paper', 'orders'), 'orders_listed', 'a page is answered that was asked for before');
select is(pg_temp.first_read(), null, 'it is no read since');

select orderlatch.reconcile_account(a, 'tests') from unnest('{paper,other}'::text[]) as a;
select test_support.hold_clock('2026-03-02 15:05:00Z');
select test.kinds(:worker);
select test_support.hold_clock('2026-03-02 15:05:01Z');
select is(array[pg_temp.answered('other', 'orders'), pg_temp.answered('paper', 'open_orders'), pg_temp.answered('paper', 'fills')],
          '{orders_listed,orders_listed,fills_listed}', 'other pages are answered');
select is(pg_temp.first_read(), null, 'neither another account''s orders nor what the account lists besides is its read');
select is(pg_temp.answered('paper', 'orders', 500), 'in_doubt', 'a page fails');
select is(pg_temp.first_read(), null, 'it is none');

select test_support.hold_clock('2026-03-02 15:06:00Z');
select test.kinds(:worker);
select test_support.hold_clock('2026-03-02 15:06:01Z');
select is(pg_temp.answered('paper', 'orders'), 'orders_listed', 'it is asked for again, and answered');
select is(pg_temp.first_read(), '15:06:01', 'that is the first read, from when it was recorded');
select orderlatch.reconcile_account('paper', 'tests');
select test_support.hold_clock('2026-03-02 15:07:00Z');
select test.kinds(:worker);
select pg_temp.answered('paper', 'orders');
select is(pg_temp.first_read(), '15:06:01', 'a later one does not take its place');

select * from finish();
rollback;
