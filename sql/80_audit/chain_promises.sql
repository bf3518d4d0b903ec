-- What the chains promise of what is open or not sealed yet; part of the view invariants.
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
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.chain_promises is
  'Rows of the view invariants about decision_events and operator_acts; verify_all looks at all of it.';
