-- What is on its way at this moment.
create or replace view orderlatch.in_flight as
  select a.account, q.kind, d.symbol, w.worker_name, r.worker_id, q.claimed_at,
         orderlatch_data.clock() - q.claimed_at as age, r.answer_by,
         encode(d.decision_hash, 'hex') as decision_hash, r.request_id
    from orderlatch_data.open_requests as r
    join orderlatch_data.broker_requests as q on q.request_id = r.request_id
    join orderlatch_data.accounts as a on a.account_id = r.account_id
    join orderlatch_data.workers as w on w.worker_id = r.worker_id
    left join orderlatch_data.trade_decisions as d on d.decision_id = r.decision_id
   order by q.claimed_at, r.request_id;
revoke all on orderlatch.in_flight from public;
grant select on orderlatch.in_flight to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.in_flight is 'Calls granted and neither answered nor lost, the oldest first.';

-- What is in doubt, for how long, and how far the proof has come.
create or replace view orderlatch.in_doubt as
  select a.account, t.symbol, t.action, d.cause, orderlatch_data.clock() - d.in_doubt_at as age, d.lookups, d.next_lookup_at,
         case
           when d.mismatched then 'an operator must adopt or declare absent: an order with this id has other terms'
           when d.duplicate then 'the id is taken: only a found order or an operator ends it'
           when d.read_id is not null then 'reading the list of orders'
           when d.second_absent_at is not null then 'absent twice: the list of orders comes next'
           when d.first_absent_at is not null then 'absent once'
           else 'looking'
         end as proof,
         o.wish, encode(t.decision_hash, 'hex') as decision_hash
    from orderlatch_data.open_decisions as o
    join orderlatch_data.doubts as d on d.decision_id = o.decision_id
    join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
    join orderlatch_data.accounts as a on a.account_id = o.account_id
   where o.status = 'in_doubt'
   order by d.in_doubt_at, o.decision_id;
revoke all on orderlatch.in_doubt from public;
grant select on orderlatch.in_doubt to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.in_doubt is
  'Decisions whose order may or may not exist, the oldest doubt first, with what ends it.';

-- Decisions that wait, and for what.
create or replace view orderlatch.waiting as
  select a.account, t.symbol, t.strategy_id, o.status, o.approval_no,
         case
           when o.status = 'planned' then 'a verdict'
           when o.lookup_first then 'a lookup, after it was throttled'
           when o.next_try_at > orderlatch_data.clock() then 'its back-off'
           when exists (
             select 1
               from orderlatch_data.halts as h
              where h.lifted_at is null
                and (h.account_id is null or h.account_id = o.account_id)
                and (h.strategy_id is null or h.strategy_id = t.strategy_id)
                and (h.symbol is null or h.symbol = o.symbol)
           ) then 'a halt to be lifted'
           when exists (
             select 1
               from orderlatch_data.open_decisions as b
              where b.account_id = o.account_id
                and b.symbol = o.symbol
                and (b.status in ('submitting', 'in_doubt') or (b.status = 'approved' and b.approval_no < o.approval_no))
           ) then 'an earlier decision of its symbol'
           else 'a worker'
         end as waits_for,
         o.next_try_at, o.lapse_at, encode(t.decision_hash, 'hex') as decision_hash
    from orderlatch_data.open_decisions as o
    join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
    join orderlatch_data.accounts as a on a.account_id = o.account_id
   where o.status in ('planned', 'approved')
   order by a.account, o.approval_no nulls last, o.decision_id;
revoke all on orderlatch.waiting from public;
grant select on orderlatch.waiting to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.waiting is 'Decisions that are not on their way yet, and what each waits for.';

-- What stands still and should not.
create or replace view orderlatch.stuck as
  select 'lock held' as what,
         format('session %s holds the %s lock of account %s and works for %s', l.pid, c.purpose, a.account,
                date_trunc('milliseconds', orderlatch_data.clock() - s.xact_start)) as detail
    from pg_locks as l
    join (
      values (orderlatch_data.lock_class('judging'), 'judging'), (orderlatch_data.lock_class('granting'), 'granting'),
             (orderlatch_data.lock_class('answering'), 'answering')
    ) as c(class_no, purpose) on l.classid = c.class_no::oid
    join orderlatch_data.accounts as a on l.objid = a.account_id::oid
    join pg_stat_activity as s on s.pid = l.pid
   where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
     and l.database = (select b.oid from pg_database as b where b.datname = current_database())
     and s.xact_start < orderlatch_data.clock() - interval '5 seconds'
  union all
  select 'unanswered', format('request %s (%s) was to be answered by %s', r.request_id, r.kind, r.answer_by)
    from orderlatch_data.open_requests as r
   where r.answer_by < orderlatch_data.clock() - interval '10 seconds'
  union all
  select 'in doubt', format('decision %s is in doubt for %s', encode(t.decision_hash, 'hex'),
                            date_trunc('seconds', orderlatch_data.clock() - d.in_doubt_at))
    from orderlatch_data.doubts as d
    join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id and o.status = 'in_doubt'
    join orderlatch_data.trade_decisions as t on t.decision_id = d.decision_id
   where d.in_doubt_at < orderlatch_data.clock() - interval '15 minutes'
  union all
  select 'overdue', format('decision %s should have lapsed at %s: is a worker alive?', encode(t.decision_hash, 'hex'), o.lapse_at)
    from orderlatch_data.open_decisions as o
    join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
   where o.status in ('planned', 'approved') and o.lapse_at < orderlatch_data.clock() - interval '1 minute'
  union all
  select 'advisory locks', 'every login of this database may take advisory locks, and so could hold up trading'
   where has_function_privilege('public', 'pg_catalog.pg_advisory_lock(integer, integer)', 'execute');
revoke all on orderlatch.stuck from public;
grant select on orderlatch.stuck to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.stuck is
  'What stands still and should not: locks held for 5 s, requests unanswered for 10 s past their time, '
  'doubts of 15 minutes, decisions that nobody lapses, and an installation that could not keep advisory '
  'locks to itself.';
