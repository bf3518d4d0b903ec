-- From when on complete reads of an account's orders must begin: after the cluster, the server, the account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.reads_from(
  p_changed_from timestamptz,
  p_answer_within interval,
  p_why text,
  p_started_from timestamptz,
  p_reconcile_after timestamptz
)
returns timestamptz[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array[
    -- a call that the old cluster granted may be unknown here, and alive for so long
    p_changed_from + p_answer_within,
    case when p_why = 'restart' then p_started_from end,
    p_reconcile_after
  ];
end
$$;
revoke all on function orderlatch_data.reads_from(timestamptz, interval, text, timestamptz, timestamptz)
  from public;
grant execute on function orderlatch_data.reads_from(timestamptz, interval, text, timestamptz, timestamptz)
  to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.reads_from(timestamptz, interval, text, timestamptz, timestamptz) is
  'For each of the three reasons of reconcile_waits; null where there is none. p_changed_from, p_why and '
  'p_started_from: of the newest row of clusters; p_answer_within: how long a call of the account may live; '
  'p_reconcile_after: of account_states. It reads nothing; views call it for their readers.';

-- Accounts that may not submit yet, because their orders at the broker must be read first, and why.
create or replace view orderlatch_data.reconcile_waits as
  select a.account_id, w.reason, w.since, w.reads_from
    from orderlatch_data.accounts as a
    join orderlatch_data.account_states as s on s.account_id = a.account_id
    left join (
      select c.changed_from, c.reads_from, c.why
        from orderlatch_data.clusters as c
       order by c.cluster_no desc
       limit 1
    ) as k on true
   cross join lateral (
     select (
              select max(r.covered_at)
                from orderlatch_data.broker_reads as r
               where r.account_id = a.account_id and r.purpose = 'orders'
            ) as covered_at,
            (
              select max(f.since) from orderlatch_data.sign_offs as f where f.account_id = a.account_id
            ) as signed_off
   ) as n
   cross join lateral unnest(
     array['cluster', 'restart', s.reconcile_reason],
     array[k.changed_from, k.reads_from, s.reconcile_after],
     orderlatch_data.reads_from(
       k.changed_from, a.send_within + a.call_timeout + a.answer_grace, k.why, k.reads_from, s.reconcile_after
     )
   ) as w(reason, since, reads_from)
   where w.reads_from is not null
     and coalesce(n.covered_at < w.reads_from, true)
     and coalesce(n.signed_off < w.since, true);
revoke all on orderlatch_data.reconcile_waits from public;
comment on view orderlatch_data.reconcile_waits is
  'Each account and what has happened to it (new, restart, cluster; since then) for which a complete read of '
  'orders that began at or after reads_from is still to come, unless an operator has signed it off.';

-- Whether submits of an account wait for a read of its orders.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.waits_for_reads(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select 1 from orderlatch_data.reconcile_waits as w where w.account_id = p_account_id);
end
$$;
revoke all on function orderlatch_data.waits_for_reads(integer) from public;
comment on function orderlatch_data.waits_for_reads(integer) is 'Why, and since when: see reconcile_waits.';

-- Whether this is the cluster that claims found themselves on last, whenever its server was started.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_known_cluster()
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last orderlatch_data.clusters;
begin
  select c.* into v_last from orderlatch_data.clusters as c order by c.cluster_no desc limit 1;
  return found
     and v_last.timeline = orderlatch_data.timeline()
     and v_last.home = orderlatch_data.home()
     and (
       v_last.server_started_at = pg_postmaster_start_time()
       or v_last.system_identifier = (select s.system_identifier from pg_control_system() as s)
     );
end
$$;
revoke all on function orderlatch_data.is_known_cluster() from public;
comment on function orderlatch_data.is_known_cluster() is
  'Compares system identifier, timeline and home with those of the newest row of clusters; the identifier '
  'only where the server was started since, as it cannot change while one runs.';

-- Whether calls that another cluster granted for an account may be unknown here.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.calls_may_be_unknown(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- a strategy, or an answer, may be back sooner than the claim that notes another cluster
  return not orderlatch_data.is_known_cluster() or exists (
    select 1
      from orderlatch_data.reconcile_waits as w
     where w.account_id = p_account_id and w.reason = 'cluster'
  );
end
$$;
revoke all on function orderlatch_data.calls_may_be_unknown(integer) from public;
comment on function orderlatch_data.calls_may_be_unknown(integer) is
  'Whether the cluster has changed and the account''s orders have not been read since then. What is '
  'approved here may have been submitted there: until then it neither lapses nor is it withdrawn.';

-- Lets an account submit without the read of its orders that is due, signed by the caller.
-- Locks: none. Raises: OL102, OL131, OL301.
create or replace function orderlatch.sign_off_reconciliation(p_account text, p_reason text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_right('signing this account off', v_account.account_id, null);
  insert into orderlatch_data.sign_offs
    (account_id, since, waited_for, signed_at, signed_by, reason)
  select w.account_id, w.since, w.reason, orderlatch_data.clock(), session_user, p_reason
    from orderlatch_data.reconcile_waits as w
   where w.account_id = v_account.account_id
   order by w.since desc
   limit 1;
  if not found then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: account %L waits for no read of its orders', p_account),
      hint = 'submits_wait_for in orderlatch.reconciliation says which account waits, and why.';
  end if;
  perform pg_notify('orderlatch', p_account);
end
$$;
revoke all on function orderlatch.sign_off_reconciliation(text, text) from public;
grant execute on function orderlatch.sign_off_reconciliation(text, text) to orderlatch_operator;
comment on function orderlatch.sign_off_reconciliation(text, text) is
  'Lets an account submit although its orders could not be read since the server restarted, the cluster '
  'changed or the account was created. Look at the broker first: what is approved here may have been '
  'submitted already. p_reason: why, 1 to 500 characters. It holds until the next restart or change. Raises '
  'OL102 account_unknown, OL131 argument_invalid when the account waits for nothing, OL301 '
  'login_not_bound.';

-- Accounts that an operator let submit unread.
create or replace view orderlatch.sign_offs as
  select f.sign_off_id, a.account, f.waited_for, f.signed_at, f.signed_by, f.reason
    from orderlatch_data.sign_offs as f
    join orderlatch_data.accounts as a on a.account_id = f.account_id
   order by f.sign_off_id;
revoke all on orderlatch.sign_offs from public;
grant select on orderlatch.sign_offs to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.sign_offs is
  'Each sign_off_reconciliation: who let which account submit without the read of its orders that was due, '
  'and why.';

drop trigger if exists written_once on orderlatch_data.sign_offs;
create trigger written_once before update or delete or truncate on orderlatch_data.sign_offs
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.sign_offs is 'Refuses update, delete and truncate.';
