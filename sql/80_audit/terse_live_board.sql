-- The whole system in one screen.
create or replace view orderlatch.terse_live_board as
  select b.what, orderlatch_data.terse_text(b.line, 80) as line
    from (
      select 1 as place, 'now' as what, 0::bigint as turn,
             format(
               '%s, %s workers alive, %s incidents open, %s things stuck',
               to_char(orderlatch_data.clock(), 'YYYY-MM-DD HH24:MI:SS TZ'),
               (select count(*) from orderlatch_data.living_workers as w),
               (select count(*) from orderlatch.open_incidents as i),
               (select count(*) from orderlatch.stuck as s)
             ) as line
      union all
      (
        select 2, 'HALTED' as what, h.halt_id,
               format(
                 '%s: %s, by %s, for %s',
                 concat_ws(
                   ' ', orderlatch_data.terse_text(h.account, 15),
                   orderlatch_data.terse_text(h.strategy_id, 10), orderlatch_data.terse_text(h.symbol, 8)
                 ),
                 orderlatch_data.terse_text(h.reason, 30), h.halted_by, orderlatch_data.terse_age(h.halted_at)
               )
          from orderlatch.standing_halts as h
         order by h.halt_id desc
         limit 5
      )
      union all
      (
        select 3, orderlatch_data.terse_text(a.account, 14), a.account_id,
               format(
                 '%s on their way, %s in doubt, %s waiting, room for %s, read %s, stream %s',
                 (select count(*) from orderlatch_data.open_requests as f where f.account_id = a.account_id),
                 (select count(*) from orderlatch_data.doubts as d where d.account_id = a.account_id),
                 (
                   select count(*)
                     from orderlatch_data.open_decisions as o
                    where o.account_id = a.account_id and o.status in ('planned', 'approved')
                 ),
                 (select g.may_submit_now from orderlatch.budgets as g where g.account = a.account),
                 coalesce(orderlatch_data.terse_age(s.last_read_at) || ' ago', 'never'),
                 (select t.state from orderlatch.streams as t where t.account = a.account)
               )
          from orderlatch_data.accounts as a
          join orderlatch_data.account_states as s on s.account_id = a.account_id
         order by a.account_id
         limit 8
      )
      union all
      (
        select 4, 'INCIDENT' as what, i.incident_id,
               concat_ws(
                 ', ', i.incident, orderlatch_data.terse_text(i.account, 14), i.subject,
                 'for ' || orderlatch_data.terse_age(i.opened_at)
               )
          from orderlatch.open_incidents as i
         order by i.incident_id desc
         limit 4
      )
      union all
      (
        select 5, 'last move' as what, e.event_id,
               format(
                 '%s %s %s: %s to %s, %s ago', orderlatch_data.terse_text(e.account, 14), e.symbol,
                 left(e.decision_hash, 8), e.from_status, e.to_status, orderlatch_data.terse_age(e.moved_at)
               )
          from orderlatch.events as e
         order by e.event_id desc
         limit 4
      )
      union all
      select 6, 'not shown' as what, 0,
             format(
               '%s accounts, %s halts, %s incidents: see :reconciliation, :halts, :incidents',
               n.accounts, n.halts, n.incidents
             )
        from (
          select (select greatest(count(*) - 8, 0) from orderlatch_data.accounts as a) as accounts,
                 (select greatest(count(*) - 5, 0) from orderlatch.standing_halts as h) as halts,
                 (select greatest(count(*) - 4, 0) from orderlatch.open_incidents as i) as incidents
        ) as n
       where n.accounts + n.halts + n.incidents > 0
    ) as b
   order by b.place, b.turn;
revoke all on orderlatch.terse_live_board from public;
grant select on orderlatch.terse_live_board to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_live_board is
  'Workers, halts, each account (the first 8), incidents, the last moves, and how many of them it leaves '
  'out, in at most 23 lines of 100 columns.';
