-- The state machine.
create or replace view orderlatch.legal_moves as
  select m.from_status, m.to_status, m.meaning
    from orderlatch_data.legal_moves as m
   order by m.from_status, m.to_status;
revoke all on orderlatch.legal_moves from public;
grant select on orderlatch.legal_moves to
  orderlatch_strategy, orderlatch_risk, orderlatch_worker, orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.legal_moves is 'Every move that a decision can make. There is no other.';

-- What answers mean.
create or replace view orderlatch.answer_rules as
  select r.rule_no, coalesce(r.kind, '(any)') as kind, r.status_from, r.status_to, r.code, r.message_pattern,
         r.json_only, r.meaning, r.why
    from orderlatch_data.answer_rules as r
   order by r.rule_no;
revoke all on orderlatch.answer_rules from public;
grant select on orderlatch.answer_rules to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.answer_rules is
  'What an answer that is no success means: the first rule that fits; what none fits is in doubt.';

-- Reason codes.
create or replace view orderlatch.risk_reasons as
  select r.reason, r.description
    from orderlatch_data.risk_reasons as r
   order by r.reason;
revoke all on orderlatch.risk_reasons from public;
grant select on orderlatch.risk_reasons to
  orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.risk_reasons is 'Every reason code that a verdict can give, and what it means.';
