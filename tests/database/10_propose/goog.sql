-- Real decisions, some delivered more than once: whatever the order and the size of the batches, each is recorded once.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table delivered (line_no integer generated always as identity, line text);
\copy delivered (line) from 'tests/fixtures/goog-redelivered.jsonl' with (format csv, delimiter E'\x01', quote E'\x02')
create temporary table original (line_no integer generated always as identity, line text);
\copy original (line) from 'tests/fixtures/goog.jsonl' with (format csv, delimiter E'\x01', quote E'\x02')

select is((select count(*) from delivered), 98::bigint, 'there are 98 deliveries');
select is((select count(*) from original), 65::bigint, 'there are 65 decisions');

-- Proposes the deliveries in an order and in batches of a size, to an account of their own.
create function pg_temp.deliver(p_account text, p_order text, p_size integer)
returns table (outcome text, deliveries bigint)
language sql
as $$
  select test.given_account(p_account);
  select p.outcome, count(*)
    from (
      select jsonb_agg(o.decision order by o.place) as decisions
        from (
          select d.line::jsonb as decision,
                 row_number() over (
                   order by case p_order
                              when 'as given' then to_char(d.line_no, '000')
                              when 'backwards' then to_char(1000 - d.line_no, '0000')
                              else md5(d.line_no::text)
                            end
                 ) as place
            from delivered as d
        ) as o
       group by (o.place - 1) / p_size
    ) as b
   cross join lateral orderlatch.propose_decisions(p_account, b.decisions) as p
   group by p.outcome
   order by p.outcome
$$;

select results_eq(
         format('select d.outcome, d.deliveries from pg_temp.deliver(%L, %L, %s) as d', c.account, c.how, c.size),
         $$ values ('created', 65::bigint), ('existing', 33) $$,
         format('98 deliveries %s, %s at a time, make 65 decisions', c.how, c.size)
       )
  from (
    values ('given-1', 'as given', 1), ('given-98', 'as given', 98), ('backwards-1', 'backwards', 1),
           ('backwards-7', 'backwards', 7), ('shuffled-10', 'shuffled', 10)
  ) as c(account, how, size);

select is_empty(
  $$ (select a.account, orderlatch.decision_hash(a.account, o.line::jsonb) from orderlatch_data.accounts as a, original as o)
     except
     select a.account, encode(d.decision_hash, 'hex')
       from orderlatch_data.trade_decisions as d
       join orderlatch_data.accounts as a on a.account_id = d.account_id $$,
  'each account has exactly the 65 decisions of the original'
);
select results_eq(
  $$ select count(*), count(*) filter (where o.status = 'approved') from orderlatch_data.open_decisions as o $$,
  $$ values (5 * 65::bigint, 5 * 65::bigint) $$, 'all of them are approved'
);

select * from finish();
rollback;
