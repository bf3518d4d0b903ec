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
  select a.account, t.symbol, t.action, d.cause,
         date_trunc('seconds', orderlatch_data.clock() - d.in_doubt_at) as age, d.lookups, d.next_lookup_at,
         case
           when d.mismatched then 'its order has other terms: an operator must adopt it or declare it absent'
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
  with held as (
    select o.*, t.strategy_id as strategy, t.decision_hash,
           exists (
             select 1
               from orderlatch_data.halts as h
              where h.lifted_at is null
                and (h.account_id is null or h.account_id = o.account_id)
                and (h.strategy_id is null or h.strategy_id = t.strategy_id)
                and (h.symbol is null or orderlatch_data.is_same_symbol(h.symbol, o.symbol))
           ) as halted
      from orderlatch_data.open_decisions as o
      join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
  ), open as (
    select h.*, bool_or(h.status in ('submitting', 'in_doubt')) over same as symbol_is_busy,
           min(h.approval_no) filter (where h.status = 'approved' and not h.halted) over same as next_no
      from held as h
    window same as (partition by h.account_id, h.symbol)
  )
  select a.account, o.symbol, o.strategy as strategy_id, o.status, o.approval_no,
         case
           when o.status = 'planned' and a.risk_engine = 'external' then 'the external risk engine'
           when o.status = 'planned' then 'a verdict'
           when o.lookup_first then 'a lookup, after it was throttled'
           when o.halted then 'a halt to be lifted'
           when a.environment = 'live' and not exists (
             select 1
               from orderlatch_data.live_grants as g
              where g.account_id = o.account_id
                -- read once, so that the index begins there
                and g.granted_until > (select orderlatch_data.clock())
           ) then 'a live grant'
           when exists (
             select 1 from orderlatch_data.reconcile_waits as w where w.account_id = o.account_id
           ) then 'its account to be reconciled'
           when s.paused_until > orderlatch_data.clock() then 'the rate limit to reset'
           when o.next_try_at > orderlatch_data.clock() then 'its back-off'
           when b.next_try_at > orderlatch_data.clock() then 'the back-off of its account''s submits'
           when o.symbol_is_busy or o.next_no < o.approval_no then 'an earlier decision of its symbol'
           when g.may_submit_now = 0 then 'the rate budget'
           else 'a worker'
         end as waits_for,
         o.next_try_at, o.lapse_at, encode(o.decision_hash, 'hex') as decision_hash
    from open as o
    join orderlatch_data.accounts as a on a.account_id = o.account_id
    join orderlatch_data.account_states as s on s.account_id = o.account_id
    join orderlatch_data.read_budgets() as g on g.account_id = o.account_id
    left join orderlatch_data.kind_backoffs as b
      on b.account_id = o.account_id and b.kind = 'submit_order'
   where o.status in ('planned', 'approved')
   order by a.account, o.approval_no nulls last, o.decision_id;
revoke all on orderlatch.waiting from public;
grant select on orderlatch.waiting to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.waiting is
  'Decisions that are not on their way yet, and what each waits for. A worker: nothing in the database holds '
  'it back but the ceiling of doubts of its account (max_in_doubt).';

-- What stands still and should not.
create or replace view orderlatch.stuck as
  select 'lock held' as what,
         format('session %s holds the %s lock of %s for %s', h.pid, h.purpose,
                coalesce('account ' || a.account, 'every account'),
                date_trunc('milliseconds', orderlatch_data.clock() - h.since)) as detail
    from orderlatch_data.lock_holders() as h
    left join orderlatch_data.accounts as a on a.account_id = h.account_id
   where h.since < orderlatch_data.clock() - interval '5 seconds'
  union all
  select 'lock times', 'nobody can see how long locks are held: grant pg_read_all_stats to orderlatch_owner'
   where not pg_has_role('orderlatch_owner', 'pg_read_all_stats', 'usage')
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
  select 'overdue', format('decision %s should have lapsed at %s: is a worker alive?',
                           encode(t.decision_hash, 'hex'), o.lapse_at)
    from orderlatch_data.open_decisions as o
    join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
   where o.status in ('planned', 'approved')
     and o.lapse_at < orderlatch_data.clock() - interval '1 minute'
     and not exists (
       select 1
         from orderlatch_data.reconcile_waits as w
        where w.account_id = o.account_id and w.reason = 'cluster'
     )
  union all
  select 'unreconciled',
         format('account %s submits nothing before its orders are read (%s): due since %s', a.account,
                w.reason, w.reads_from)
    from orderlatch_data.reconcile_waits as w
    join orderlatch_data.accounts as a on a.account_id = w.account_id
   where w.reads_from < orderlatch_data.clock() - interval '5 minutes'
  union all
  select 'advisory locks', 'every login of this database may take advisory locks and so hold up trading'
   where has_function_privilege('public', 'pg_catalog.pg_advisory_lock(integer, integer)', 'execute');
revoke all on orderlatch.stuck from public;
grant select on orderlatch.stuck to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.stuck is
  'What stands still and should not: locks held for 5 s, requests unanswered for 10 s past their time, '
  'doubts of 15 minutes, decisions that nobody lapses, accounts that could not be reconciled for 5 minutes, '
  'and an installation that could not keep advisory locks to itself or look at the sessions that hold '
  'them.';
