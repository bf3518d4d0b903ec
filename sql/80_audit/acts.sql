-- What operators did, and the core in their place.
create or replace view orderlatch.acts as
  select a.act_no, a.act, a.acted_at, a.acted_by, a.detail, a.saw, encode(a.act_hash, 'hex') as act_hash
    from orderlatch_data.operator_acts as a
   order by a.act_no;
revoke all on orderlatch.acts from public;
grant select on orderlatch.acts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.acts is
  'Every halt, lift, live grant, account, setting, binding, limit, sign-off, adjustment and closed incident: '
  'who, when, and the row that it made or removed. A chain of its own: act_hash covers the acts it saw.';
