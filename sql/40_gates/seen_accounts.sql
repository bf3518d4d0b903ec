-- What a visit of an account reads of it, however many dead versions a long transaction keeps of its rows.
create or replace view orderlatch_data.seen_accounts as
  select a.account_id, a.environment, a.max_in_doubt, a.rate_limit,
         coalesce(a.burst, a.rate_limit / 10) as burst,
         l.rate_limit as broker_limit, l.remaining, l.resets_at,
         b.tokens, b.reserved, b.counted_at, b.version as bucket_version,
         (
           g.account_id, g.due_at, g.tidy_at, g.visited_at, g.turn_no,
           (
             select o.approval_no
               from orderlatch_data.open_decisions as o
              where o.account_id = g.account_id and o.approval_no >= g.approved_from
              order by o.approval_no
              limit 1
           ),
           coalesce((
             select r.answer_by
               from orderlatch_data.open_requests as r
              where (r.account_id, r.answer_by) <= (g.account_id, 'infinity')
                and (r.account_id, r.answer_by) >= (g.account_id, g.answers_from)
              order by r.account_id, r.answer_by
              limit 1
           ), 'infinity')
         )::orderlatch_data.account_agenda as agenda,
         g.version as agenda_version,
         s.paused_until,
         array(
           select case when r.kind = 'submit_order' then r.decision_id end
             from orderlatch_data.open_requests as r
                  -- as in calls_under_way
            where (r.account_id, r.answer_by) <= (g.account_id, 'infinity')
              and (r.account_id, r.answer_by) >= (g.account_id, g.answers_from)
         ) as under_way,
         array(select d.decision_id from orderlatch_data.doubts as d where d.account_id = a.account_id)
           as in_doubt,
         (
           select k.next_try_at from orderlatch_data.kind_backoffs as k
            where k.account_id = a.account_id and k.kind = 'submit_order'
         ) as backs_off_until,
         exists (
           select 1 from orderlatch_data.halts as h
            where h.lifted_at is null and (h.account_id is null or h.account_id = a.account_id)
         ) as some_halted,
         -- no wait is left where a complete read began after all that is waited for
         (
           (
             select r.covered_at from orderlatch_data.broker_reads as r
              where r.account_id = a.account_id and r.purpose = 'orders' and r.purpose <> 'proof'
           ) >= all (array_remove((
             select orderlatch_data.reads_from(
                      k.changed_from, a.send_within + a.call_timeout + a.answer_grace, k.why, k.reads_from,
                      s.reconcile_after
                    )
               from orderlatch_data.clusters as k
              order by k.cluster_no desc
              limit 1
           ), null))
         ) is not true as may_wait
    from orderlatch_data.accounts as a
    join orderlatch_data.account_states as s on s.account_id = a.account_id
   cross join lateral (
     -- as in agenda_of
     select k.account_id, k.due_at, k.tidy_at, k.visited_at, k.turn_no, k.approved_from, k.ctid as version,
            case
              when exists (select 1 from orderlatch_data.account_wakes as w where w.account_id = k.account_id)
                then '-infinity'
              else k.answers_from
            end as answers_from
       from orderlatch_data.account_agenda as k
      where k.account_id <= a.account_id
      order by k.account_id desc
      limit 1
   ) as g
   cross join lateral (
     select k.*, k.ctid as version from orderlatch_data.account_budgets as k
      where k.account_id <= a.account_id
      order by k.account_id desc
      limit 1
   ) as b
   cross join lateral (
     select k.* from orderlatch_data.broker_limits as k
      where k.account_id <= a.account_id
      order by k.account_id desc
      limit 1
   ) as l
   where g.account_id = a.account_id and b.account_id = a.account_id and l.account_id = a.account_id;
revoke all on orderlatch_data.seen_accounts from public;
comment on view orderlatch_data.seen_accounts is
  'One row for each account; to be read by account_id, and only the columns that are used are computed. '
  'broker_limit, remaining, resets_at: what the broker''s headers said. agenda: its row of account_agenda, '
  'with both marks moved up to where the living begin now: the lowest approval_no of an open decision (null '
  'where there is none), and the earliest answer_by of an open request (none: infinity). agenda_version, '
  'bucket_version: where the rows of account_agenda and account_budgets are. paused_until: by a 429. '
  'under_way: one element for each call on its way, of a submit its decision, else null. in_doubt: decisions '
  'that may be. backs_off_until: of submits. some_halted: a halt of any scope stands over a part of the '
  'account. may_wait: false where waits_for_reads is.';
