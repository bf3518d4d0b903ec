-- Gauges of the database, for exporters.
create or replace view orderlatch.metrics as
  select m.name, m.labels, m.value::double precision as value, m.help
    from (
      select 'orderlatch_decisions_open' as name, 'decisions that have not settled' as help,
             jsonb_build_object('account', a.account, 'status', o.status) as labels,
             count(*)::numeric as value
        from orderlatch_data.open_decisions as o
        join orderlatch_data.accounts as a on a.account_id = o.account_id
       group by a.account, o.status
      union all
      select 'orderlatch_in_doubt_oldest_seconds' as name, 'age of the oldest doubt; 0 without any' as help,
             jsonb_build_object('account', a.account),
             coalesce(max(extract(epoch from orderlatch_data.clock() - d.in_doubt_at)), 0)
        from orderlatch_data.accounts as a
        left join (
          orderlatch_data.doubts as d
          join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id and o.status = 'in_doubt'
        ) on d.account_id = a.account_id
       group by a.account
      union all
      select 'orderlatch_requests_on_their_way' as name,
             'calls granted and neither answered nor lost' as help,
             jsonb_build_object('account', a.account), count(r.request_id)
        from orderlatch_data.accounts as a
        left join orderlatch_data.open_requests as r on r.account_id = a.account_id
       group by a.account
      union all
      select 'orderlatch_halts_standing' as name,
             'halts that stand, of all or of a strategy or symbol; account empty: over every account' as help,
             jsonb_build_object('account', coalesce(a.account, '')), count(*)
        from orderlatch_data.halts as h
        left join orderlatch_data.accounts as a on a.account_id = h.account_id
       where h.lifted_at is null
       group by a.account
      union all
      select 'orderlatch_incidents_open' as name, 'incidents that nobody has closed' as help,
             jsonb_build_object('account', coalesce(a.account, ''), 'incident', i.incident), count(*)
        from orderlatch_data.incidents as i
        left join orderlatch_data.accounts as a on a.account_id = i.account_id
       where i.closed_at is null
       group by a.account, i.incident
      union all
      select 'orderlatch_may_call' as name, 'calls of any kind that could be granted now' as help,
             jsonb_build_object('account', a.account), b.may_call_now
        from orderlatch_data.accounts as a
        join orderlatch_data.read_budgets() as b on b.account_id = a.account_id
      union all
      select 'orderlatch_may_submit' as name, 'submits that the rate budget leaves room for now' as help,
             jsonb_build_object('account', a.account), b.may_submit_now
        from orderlatch_data.accounts as a
        join orderlatch_data.read_budgets() as b on b.account_id = a.account_id
      union all
      select 'orderlatch_read_lag_seconds' as name,
             'age of the last complete read of the broker; -1: none yet' as help,
             jsonb_build_object('account', a.account, 'purpose', r.purpose),
             coalesce(extract(epoch from orderlatch_data.clock() - r.covered_at), -1)
        from orderlatch_data.broker_reads as r
        join orderlatch_data.accounts as a on a.account_id = r.account_id
       where r.purpose <> 'proof'
      union all
      select 'orderlatch_stream_heard' as name,
             '1 when a worker hears the trade_updates stream, else 0' as help,
             jsonb_build_object('account', s.account), (s.state = 'heard')::integer
        from orderlatch.streams as s
      union all
      select 'orderlatch_live_grant_seconds' as name, 'until the live grant ends; 0: there is none' as help,
             jsonb_build_object('account', a.account),
             greatest(0, coalesce(extract(epoch from g.granted_until - orderlatch_data.clock()), 0))
        from orderlatch_data.accounts as a
       cross join lateral (
         select max(k.granted_until) as granted_until
           from orderlatch_data.live_grants as k
          where k.account_id = a.account_id
       ) as g
       where a.environment = 'live'
      union all
      select 'orderlatch_workers_alive' as name, 'lives of workers whose lock is held' as help,
             '{}' as labels, count(*)
        from orderlatch_data.living_workers as w
      union all
      -- what an installation lacks, as one without a superuser does for ever, would hide what is stuck today
      select 'orderlatch_stuck' as name, 'rows of the view stuck, but those about the installation' as help,
             '{}' as labels, count(*)
        from orderlatch.stuck as s
       where s.what not in ('advisory locks', 'lock times')
      union all
      select 'orderlatch_events' as name, 'number of the newest event' as help,
             '{}' as labels, coalesce(max(e.event_id), 0)
        from orderlatch_data.decision_events as e
      union all
      select 'orderlatch_event_blocks_sealed' as name, 'blocks of 10,000 events that are sealed' as help,
             '{}' as labels, coalesce(max(s.block_no), 0)
        from orderlatch_data.event_seals as s
    ) as m
   order by m.name, m.labels;
revoke all on orderlatch.metrics from public;
grant select on orderlatch.metrics to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.metrics is
  'One row for each gauge: name and labels as Prometheus has them (labels: a JSON object), value, and help. '
  'Reads what is open, not what was: cheap at every scrape.';
