-- After the clock was set back, brings near what an account waits for, and takes for older what is past.
-- Locks: none; rows that another session holds are skipped. Raises: none.
create or replace function orderlatch_data.turn_back(p_account orderlatch_data.accounts)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  -- whatever waits longer than that may wait for a moment of the clock as it was
  v_soon constant timestamptz := v_now + interval '1 minute';
begin
  perform orderlatch_data.turn_back_budget(p_account.account_id);
  update orderlatch_data.account_states as s
     -- what was read then is not known to be newer than any doubt
     set last_read_at = case when s.last_read_at <= v_now then s.last_read_at end,
         paused_until = case when s.paused_until > v_soon then v_soon else s.paused_until end
   where s.ctid in (
     select k.ctid from orderlatch_data.account_states as k
      where k.account_id = p_account.account_id
        for no key update skip locked
   );
  update orderlatch_data.kind_backoffs as b
     set failed_at = least(b.failed_at, v_now), next_try_at = least(b.next_try_at, v_soon)
   where b.ctid in (
     select k.ctid from orderlatch_data.kind_backoffs as k
      where k.account_id = p_account.account_id
        for no key update skip locked
   );
  perform orderlatch_data.turn_back_decisions(p_account, v_now, v_soon);
  perform orderlatch_data.turn_back_reads(p_account.account_id, v_now, v_soon);
end
$$;
revoke all on function orderlatch_data.turn_back(orderlatch_data.accounts) from public;
comment on function orderlatch_data.turn_back(orderlatch_data.accounts) is
  'What a visit does that finds the last one to come. Nothing is done earlier than it may be, but for '
  'waits that only spare the broker: those end within a minute.';

-- Brings near what decisions wait for.
-- Locks: none; rows that another session holds are skipped. Raises: none.
create or replace function orderlatch_data.turn_back_decisions(
  p_account orderlatch_data.accounts,
  p_now timestamptz,
  p_soon timestamptz
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.open_decisions as o
     set next_try_at = least(o.next_try_at, case o.tries when 0 then p_now else p_soon end),
         -- what was recorded before now is older than that by then
         lapse_at = least(o.lapse_at, p_now + p_account.max_decision_age)
   where o.ctid in (
     select k.ctid from orderlatch_data.open_decisions as k
      where k.account_id = p_account.account_id
        and k.status in ('planned', 'approved')
        and (
          k.next_try_at > case k.tries when 0 then p_now else p_soon end
          or k.lapse_at > p_now + p_account.max_decision_age
        )
        for no key update skip locked
   );
  update orderlatch_data.doubts as d
     set in_doubt_at = least(d.in_doubt_at, p_now),
         -- a call that was granted before now has ended by then, whatever the clock said
         believe_after = least(
           d.believe_after,
           p_now + p_account.send_within + p_account.call_timeout + p_account.answer_grace
             + p_account.absence_quiet
         ),
         -- null stays null
         first_absent_at = case when d.first_absent_at > p_now then p_now else d.first_absent_at end,
         next_lookup_at = case when d.next_lookup_at > p_soon then p_soon else d.next_lookup_at end
   where d.ctid in (
     select k.ctid from orderlatch_data.doubts as k
      where k.account_id = p_account.account_id
        for no key update skip locked
   )
$$;
revoke all on function orderlatch_data.turn_back_decisions(
  orderlatch_data.accounts, timestamptz, timestamptz
) from public;
comment on function orderlatch_data.turn_back_decisions(
  orderlatch_data.accounts, timestamptz, timestamptz
) is
  'Part of turn_back. The quiet time and the spacing of a proof of absence are kept, counted from now; no '
  'decision is sent when it is older than the account lets it grow.';

-- Brings near the reads and cancels of an account.
-- Locks: none; rows that another session holds are skipped. Raises: none.
create or replace function orderlatch_data.turn_back_reads(
  p_account_id integer,
  p_now timestamptz,
  p_soon timestamptz
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.broker_reads as r
     set next_page_at = p_soon
   where r.ctid in (
     select k.ctid from orderlatch_data.broker_reads as k
      where k.account_id = p_account_id and k.next_page_at > p_soon
        for no key update skip locked
   );
  update orderlatch_data.read_wishes as w
     set due_at = p_soon
   where w.ctid in (
     select k.ctid from orderlatch_data.read_wishes as k
      where k.account_id = p_account_id and k.due_at > p_soon
        for no key update skip locked
   );
  update orderlatch_data.order_checks as c
     set next_try_at = least(c.next_try_at, p_soon),
         absent_at = case when c.absent_at > p_now then p_now else c.absent_at end
   where c.ctid in (
     select k.ctid from orderlatch_data.order_checks as k
      where k.account_id = p_account_id
        for no key update skip locked
   );
  update orderlatch_data.order_cancels as c
     set next_try_at = p_soon
   where c.ctid in (
     select k.ctid from orderlatch_data.order_cancels as k
      where k.account_id = p_account_id and k.ended_at is null and k.next_try_at > p_soon
        for no key update skip locked
   )
$$;
revoke all on function orderlatch_data.turn_back_reads(integer, timestamptz, timestamptz) from public;
comment on function orderlatch_data.turn_back_reads(integer, timestamptz, timestamptz) is
  'Part of turn_back.';
