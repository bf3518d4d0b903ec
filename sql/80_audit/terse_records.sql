-- Decisions of the last 24 hours, the newest first.
create or replace view orderlatch.terse_today as
  select orderlatch_data.terse_time(d.recorded_at) as recorded,
         orderlatch_data.terse_text(d.account, 10) as account,
         orderlatch_data.terse_text(d.symbol, 8) as symbol, d.action,
         orderlatch_data.terse_text(d.size, 10) as size, d.status,
         orderlatch_data.terse_text(coalesce(d.order_status, array_to_string(d.reasons, ', ')), 20)
           as order_or_reasons,
         left(d.decision_hash, 12) as decision
    from (select n.* from orderlatch.decisions as n order by n.decision_id desc limit 40) as d
   where d.recorded_at > orderlatch_data.clock() - interval '1 day'
   order by d.decision_id desc;
revoke all on orderlatch.terse_today from public;
grant select on orderlatch.terse_today to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_today is
  'decisions in 100 columns: the newest 40, and none that is older than 24 hours.';

-- Orders that no decision asked for, the newest first.
create or replace view orderlatch.terse_foreign as
  select orderlatch_data.terse_time(f.submitted_at) as submitted,
         orderlatch_data.terse_text(f.account, 10) as account,
         orderlatch_data.terse_text(f.symbol, 8) as symbol,
         orderlatch_data.terse_number(
           case f.side when 'sell' then -1 else 1 end * coalesce(f.qty, f.notional)
         ) as size,
         orderlatch_data.terse_text(f.status, 10) as status,
         orderlatch_data.terse_text(f.broker_order_id, 36) as broker_order_id
    from (
      select a.account, b.symbol, b.side, b.qty, b.notional, b.status, b.submitted_at, b.broker_order_id
        from orderlatch_data.broker_orders as b
        join orderlatch_data.accounts as a on a.account_id = b.account_id
       where b.decision_id is null and b.foreign_at is not null
       order by b.order_no desc
       limit 40
    ) as f
   order by f.submitted_at desc nulls last, f.broker_order_id;
revoke all on orderlatch.terse_foreign from public;
grant select on orderlatch.terse_foreign to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_foreign is
  'foreign_orders in 100 columns: the 40 that were seen last. A negative size sells.';

-- What each account holds, and whether the broker agrees.
create or replace view orderlatch.terse_positions as
  select orderlatch_data.terse_text(p.account, 14) as account,
         orderlatch_data.terse_text(p.symbol, 21) as symbol, orderlatch_data.terse_number(p.qty) as qty,
         orderlatch_data.terse_number(p.broker_qty) as broker_qty,
         orderlatch_data.terse_number(p.avg_entry_price) as paid,
         orderlatch_data.terse_text(p.state, 24) as state
    from orderlatch.positions as p
   order by p.account, p.symbol;
revoke all on orderlatch.terse_positions from public;
grant select on orderlatch.terse_positions to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_positions is
  'positions in 100 columns.';

-- Trades, the newest first.
create or replace view orderlatch.terse_fills as
  select orderlatch_data.terse_time(f.filled_at) as filled,
         orderlatch_data.terse_text(f.account, 12) as account,
         orderlatch_data.terse_text(f.symbol, 12) as symbol, orderlatch_data.terse_number(f.qty) as qty,
         orderlatch_data.terse_number(f.price) as price,
         orderlatch_data.terse_text(f.activity, 13) as activity, left(f.decision_hash, 12) as decision
    from (
      -- the newest fills are of those symbols that were filled last
      select q.account_id, q.symbol
        from orderlatch_data.position_sums as q
       where q.last_fill_at is not null
       order by q.last_fill_at desc
       limit 40
    ) as s
   cross join lateral (
     select n.activity_id
       from orderlatch_data.fills as n
      where n.account_id = s.account_id and n.symbol = s.symbol
      order by n.filled_at desc
      limit 10
   ) as k
    join orderlatch_data.accounts as a on a.account_id = s.account_id
    join orderlatch.fills as f on f.account = a.account and f.activity_id = k.activity_id
   order by f.filled_at desc, f.activity_id, f.entry
   limit 40;
revoke all on orderlatch.terse_fills from public;
grant select on orderlatch.terse_fills to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_fills is
  'fills in 100 columns: the newest 40, at most 10 of a symbol.';

-- Calls to the broker, the newest first.
create or replace view orderlatch.terse_wire as
  select orderlatch_data.terse_time(w.claimed_at) as claimed,
         orderlatch_data.terse_text(w.account, 8) as account, w.kind,
         orderlatch_data.terse_text(w.state, 10) as state, w.status as http,
         orderlatch_data.terse_text(w.meaning, 15) as meaning, w.elapsed_ms as ms,
         left(w.decision_hash, 12) as decision
    from orderlatch_data.accounts as a
   cross join lateral (
     select q.request_id
       from orderlatch_data.broker_requests as q
      where q.account_id = a.account_id
      order by q.claimed_at desc
      limit 40
   ) as k
   cross join lateral (
     select n.* from orderlatch.wire as n where n.request_id = k.request_id offset 0
   ) as w
   order by w.claimed_at desc, w.request_id
   limit 40;
revoke all on orderlatch.terse_wire from public;
grant select on orderlatch.terse_wire to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_wire is
  'wire in 100 columns: the newest 40.';

-- What operators did, the newest first.
create or replace view orderlatch.terse_acts as
  select a.act_no as no, orderlatch_data.terse_time(a.acted_at) as at,
         orderlatch_data.terse_text(a.acted_by, 16) as by_whom, a.act,
         orderlatch_data.terse_text(
           coalesce(
             a.detail ->> 'lift_reason', a.detail ->> 'resolution', a.detail ->> 'reason',
             a.detail ->> 'login', a.detail ->> 'account', a.detail ->> 'to_ceiling',
             a.detail ->> 'to_symbols'
           ), 30
         ) as about
    from orderlatch.acts as a
   order by a.act_no desc
   limit 40;
revoke all on orderlatch.terse_acts from public;
grant select on orderlatch.terse_acts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_acts is
  'acts in 100 columns: the newest 40.';

-- The promises, and how often each is broken.
create or replace view orderlatch.terse_invariants as
  select i.violations as broken, orderlatch_data.terse_text(i.promise, 88) as promise
    from orderlatch.invariants as i;
revoke all on orderlatch.terse_invariants from public;
grant select on orderlatch.terse_invariants to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_invariants is
  'invariants in 100 columns.';

-- How far each account has been read.
create or replace view orderlatch.terse_reconciliation as
  select orderlatch_data.terse_text(r.account, 16) as account,
         r.purpose, orderlatch_data.terse_text(r.state, 18) as state,
         orderlatch_data.terse_age(r.covered_at) as behind, r.failures,
         orderlatch_data.terse_time(r.next_at) as next_read
    from orderlatch.reconciliation as r
   order by r.account, r.purpose;
revoke all on orderlatch.terse_reconciliation from public;
grant select on orderlatch.terse_reconciliation to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_reconciliation is
  'reconciliation in 100 columns.';

-- Lives of workers of the last day, the newest 40 of them, and all that live.
create or replace view orderlatch.terse_workers as
  select w.worker_id as id, orderlatch_data.terse_text(w.worker_name, 24) as worker, w.alive,
         orderlatch_data.terse_time(w.registered_at) as began,
         orderlatch_data.terse_text(array_to_string(w.accounts, ', '), 40) as accounts
    from (
      select v.worker_id from orderlatch_data.living_workers as v
      union
      (select n.worker_id from orderlatch_data.workers as n order by n.worker_id desc limit 40)
    ) as k
   cross join lateral (
     select n.* from orderlatch.workers as n where n.worker_id = k.worker_id offset 0
   ) as w
   where w.alive or w.registered_at > orderlatch_data.clock() - interval '1 day'
   order by w.worker_id desc;
revoke all on orderlatch.terse_workers from public;
grant select on orderlatch.terse_workers to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_workers is
  'workers in 100 columns: those that live, and of the newest 40 those that began within 24 hours.';

-- Limits in force.
create or replace view orderlatch.terse_limits as
  select l.limit_id as id, l.limit_kind,
         orderlatch_data.terse_text(
           coalesce(trim_scale(l.ceiling)::text, cardinality(l.symbols) || ' symbols'), 14
         ) as ceiling,
         orderlatch_data.terse_text(l.account, 12) as account,
         orderlatch_data.terse_text(l.strategy_id, 10) as strategy,
         orderlatch_data.terse_text(l.symbol, 8) as symbol, l.enabled,
         orderlatch_data.terse_text(l.set_by, 12) as set_by
    from orderlatch.limits as l
   order by l.limit_id;
revoke all on orderlatch.terse_limits from public;
grant select on orderlatch.terse_limits to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_limits is
  'limits in 100 columns.';
