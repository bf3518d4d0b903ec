-- What happened of late, the newest last.
create or replace view orderlatch.terse_timeline as
  select orderlatch_data.terse_time(t.at) as at, orderlatch_data.terse_text(t.account, 10) as account,
         orderlatch_data.terse_text(t.subject, 8) as subject,
         orderlatch_data.terse_text(t.story, 48) as story, left(t.decision_hash, 8) as decision
    from (
      select n.at, n.account, n.subject, n.story, n.decision_hash
        from (
          (
            select e.moved_at as at, e.account, e.symbol as subject,
                   format('%s to %s: %s', e.from_status, e.to_status, e.reason) as story, e.decision_hash
              from orderlatch.events as e
             order by e.event_id desc
             limit 25
          )
          union all
          (
            select c.acted_at, c.detail ->> 'account', c.detail ->> 'symbol',
                   format('%s by %s', c.act, c.acted_by), null as decision_hash
              from orderlatch.acts as c
             order by c.act_no desc
             limit 25
          )
          union all
          (
            select i.opened_at, a.account, i.subject, 'incident ' || i.incident,
                   encode(d.decision_hash, 'hex')
              from orderlatch_data.incidents as i
              left join orderlatch_data.accounts as a on a.account_id = i.account_id
              left join orderlatch_data.trade_decisions as d on d.decision_id = i.decision_id
             order by i.incident_id desc
             limit 25
          )
        ) as n
       order by n.at desc
       limit 25
    ) as t
   order by t.at, t.decision_hash, t.story;
revoke all on orderlatch.terse_timeline from public;
grant select on orderlatch.terse_timeline to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_timeline is
  'timeline in 100 columns: the newest 25 moves, acts and incidents.';
