-- Numbers that would be given a second time, as after a subscription or a restore that left sequences out.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.numbers_behind()
returns table (numbers text, drawn bigint, given bigint)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select n.numbers, l.drawn, n.given
    from (
      values
        (
          'orderlatch_data.decision_ids',
          (select max(d.decision_id) from orderlatch_data.trade_decisions as d)
        ),
        -- a claim looks at none that lies before the mark
        (
          'orderlatch_data.approval_nos',
          (select max(g.approved_from) from orderlatch_data.account_agenda as g)
        ),
        ('orderlatch_data.act_nos', (select max(a.act_no) from orderlatch_data.operator_acts as a)),
        (
          pg_get_serial_sequence('orderlatch_data.decision_events', 'event_id'),
          (select max(e.event_id) from orderlatch_data.decision_events as e)
        )
    ) as n(numbers, given)
   cross join lateral (select coalesce(pg_sequence_last_value(n.numbers::regclass), 0) as drawn) as l
   where n.given > l.drawn;
end
$$;
revoke all on function orderlatch_data.numbers_behind() from public;
grant execute on function orderlatch_data.numbers_behind() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.numbers_behind() is
  'numbers: a sequence; drawn: its newest number; given: a higher one that a row has. With the rights of the '
  'owner, as the view invariants calls it for its readers.';

-- What the chains promise of what is open or not sealed yet, and of numbers; part of the view invariants.
create or replace view orderlatch_data.chain_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          21, 'every event that is not sealed yet, and what is behind it, is what was written',
          (select count(*) from orderlatch_data.unsealed_findings() as f)
        ),
        (
          22, 'every act is what was written, and rows are what their newest act says',
          (select count(*) from orderlatch_data.act_findings() as f)
        ),
        (
          23, 'no decision, approval, event or act gets a number that another one has',
          (select count(*) from orderlatch_data.numbers_behind() as b)
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.chain_promises is
  'Rows of the view invariants about decision_events, operator_acts and numbers; verify_all looks at all of '
  'it.';
