-- The fixtures that other files begin with reach every status there is.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as
  select w.status, test.given_worker(test.given_account(w.status)) as worker_id
    from unnest('{planned,approved,rejected,withdrawn,lapsed,submitting,in_doubt,refused,submitted}'::text[]) as w(status);

select is(test.status(test.given_decision_in(w.status, w.worker_id)), w.status,
          format('the protocol brings a decision to %s', w.status))
  from worlds as w;

select * from finish();
rollback;
