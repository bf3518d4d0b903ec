-- Accounts with their settings and what is known of them.
create or replace view orderlatch.accounts as
  select a.account, a.environment, a.broker_account_id, a.risk_engine, a.one_decision_per_signal,
         a.max_decision_age, a.max_submits, a.on_absent, a.broker_remembers_ids, a.max_in_doubt,
         a.send_within, a.call_timeout, a.answer_grace, a.lookup_first_wait, a.lookup_max_wait,
         a.crowd_size, a.crowd_lookup_wait, a.absence_quiet, a.absence_spacing, a.absence_window,
         a.duplicate_alarm_after, a.backoff_first, a.backoff_max, a.throttle_wait, a.reconcile_from,
         a.reconcile_every, a.reconcile_overlap, a.positions_every, a.on_foreign_order, a.drift_grace,
         a.crypto_fee_allowance, a.day_time_zone, a.rate_limit, a.burst,
         s.paused_until, s.last_read_at, a.created_at, a.created_by
    from orderlatch_data.accounts as a
    join orderlatch_data.account_states as s on s.account_id = a.account_id
   order by a.account;
revoke all on orderlatch.accounts from public;
grant select on orderlatch.accounts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.accounts is
  'Accounts with the settings that create_account and update_account take; paused_until: a 429 said so; '
  'last_read_at: the newest read of the broker that succeeded.';

-- Halts that stand.
create or replace view orderlatch.standing_halts as
  select h.halt_id, coalesce(a.account, '(every account)') as account, h.strategy_id, h.symbol, h.reason,
         h.halted_at, h.halted_by
    from orderlatch_data.halts as h
    left join orderlatch_data.accounts as a on a.account_id = h.account_id
   where h.lifted_at is null
   order by h.halted_at, h.halt_id;
revoke all on orderlatch.standing_halts from public;
grant select on orderlatch.standing_halts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.standing_halts is
  'What stops new submits now. lift_halt(halt_id, reason) lifts one.';

-- Incidents that nobody has closed.
create or replace view orderlatch.open_incidents as
  select i.incident_id, a.account, i.incident, i.subject, i.opened_at, i.detail,
         encode(t.decision_hash, 'hex') as decision_hash, i.request_id
    from orderlatch_data.incidents as i
    left join orderlatch_data.accounts as a on a.account_id = i.account_id
    left join orderlatch_data.trade_decisions as t on t.decision_id = i.decision_id
   where i.closed_at is null
   order by i.opened_at, i.incident_id;
revoke all on orderlatch.open_incidents from public;
grant select on orderlatch.open_incidents to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.open_incidents is
  'What must not happen and did. close_incident(incident_id, resolution) closes one; halts are lifted '
  'apart.';

-- The kinds of incidents.
create or replace view orderlatch.incident_kinds as
  select k.incident, k.meaning, k.halts_account
    from (
      values
        ('activity_unread', 'the broker lists an activity that cannot be booked', false),
        ('account_mismatch', 'the keys of a worker open another account than they are given for', true),
        ('cluster_changed',
         'another server has taken over, or a backup was restored: commits may be lost',
         false),
        ('decision_lost', 'the broker has an order with a decision hash that no decision here has', false),
        ('duplicate_order', 'the broker shows a second order of one decision', true),
        ('duplicate_without_order', 'the broker says an id is taken but does not show its order', false),
        ('fill_mismatch', 'the fills of an order do not add up to what the broker says was filled', false),
        ('foreign_order', 'orders that no decision asked for; halts where on_foreign_order says so', true),
        ('hash_collision', 'two intents have one hash', true),
        ('order_despite_verdict', 'the broker has an order of a decision that had settled without one', true),
        ('order_mismatch', 'the broker shows an order with the id of a decision and other terms', true),
        ('order_vanished', 'the broker says that it has no order which it had shown before', false),
        ('position_drift', 'the broker''s position is not what fills and adjustments add up to', false),
        ('read_stuck', 'a list full of orders of one moment could not be read on', false),
        ('unauthorized', 'the broker does not accept the key of a worker', true)
    ) as k(incident, meaning, halts_account)
   order by k.incident;
revoke all on orderlatch.incident_kinds from public;
grant select on orderlatch.incident_kinds to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.incident_kinds is
  'What each kind of incident means, and whether it halts its account.';

-- Workers, and whether each lives.
create or replace view orderlatch.workers as
  select w.worker_id, w.worker_name, w.login, w.registered_at, w.released_at,
         w.worker_id in (select v.worker_id from orderlatch_data.living_workers as v) as alive,
         array(
           select a.account || case when c.verified_at is null then ' (not verified)' else '' end
             from orderlatch_data.worker_accounts as c
             join orderlatch_data.accounts as a on a.account_id = c.account_id
            where c.worker_id = w.worker_id
            order by a.account
         ) as accounts
    from orderlatch_data.workers as w;
revoke all on orderlatch.workers from public;
grant select on orderlatch.workers to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.workers is
  'Each life of a worker, whether its listening connection holds its lock, and the accounts it carries.';

-- Limits in force.
create or replace view orderlatch.limits as
  select l.limit_id, l.limit_kind, l.ceiling, k.unit, coalesce(a.account, '(any)') as account,
         coalesce(l.strategy_id, '(any)') as strategy_id, coalesce(l.symbol, '(any)') as symbol, l.enabled,
         l.set_at, l.set_by, l.symbols, k.counts
    from orderlatch_data.risk_limits as l
    join orderlatch_data.risk_limit_kinds as k on k.limit_kind = l.limit_kind
    left join orderlatch_data.accounts as a on a.account_id = l.account_id
   order by l.limit_id;
revoke all on orderlatch.limits from public;
grant select on orderlatch.limits to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.limits is
  'The limits that decisions are judged by: all whose scope fits, a narrow one never loosens a wide one. '
  'counts: what is added up, in each account by itself. set_limit and set_symbols change them; limit_history '
  'keeps what they were.';
