begin;
select plan(2);

select is(
  (select count(distinct r.id) from (select orderlatch_data.new_request_id() as id from generate_series(1, 1000)) as r),
  1000::bigint, 'every request id is new'
);
select matches(
  orderlatch_data.new_request_id()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  'a request id is a random uuid: no counter that a restore could set back'
);

select * from finish();
rollback;
