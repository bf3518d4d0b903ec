-- Ends a doubt by an operator's word, signed and with evidence.
-- Locks: account (answering), decision. Raises: OL103, OL131, OL132, OL201, OL202, OL203, OL301, OL307.
create or replace function orderlatch.resolve_in_doubt(p_decision_hash text, p_verdict text, p_evidence jsonb)
returns text
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash);
  v_account orderlatch_data.accounts;
  v_status text;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_evidence(p_evidence);
  perform orderlatch_data.require_verdict(p_verdict, p_evidence);
  perform orderlatch_data.make_durable();
  -- an adopted order may be in a list that is being recorded at this moment
  perform orderlatch_data.lock_account('answering', v_decision.account_id);
  perform orderlatch_data.lock_decisions(array[orderlatch_data.decision_lock_key(v_decision.decision_hash)]);

  select s.status into v_status from orderlatch_data.status_of(v_decision.decision_id) as s;
  if v_status is distinct from 'in_doubt' then
    raise exception using
      errcode = 'OL203',
      message = format('decision_moved_on: the decision is %s, not in doubt', v_status),
      hint = 'There is nothing to resolve. See decision_status.';
  end if;
  if p_verdict = 'adopt' then
    perform orderlatch_data.require_free_order(v_decision, p_evidence ->> 'broker_order_id');
  else
    perform orderlatch_data.require_nothing_on_its_way(v_decision.decision_id);
  end if;
  select a.* into strict v_account
    from orderlatch_data.accounts as a
   where a.account_id = v_decision.account_id;
  if p_verdict = 'absent' then
    perform orderlatch_data.conclude_absence(
      v_account, v_decision.decision_id, 'declared absent by ' || session_user, null, p_evidence
    );
  else
    perform orderlatch_data.save_order(
      v_decision.account_id, v_decision.decision_id, 'order',
      jsonb_build_object(
        'id', p_evidence ->> 'broker_order_id', 'status', 'unknown', 'symbol', v_decision.symbol,
        'side', v_decision.action, 'type', v_decision.order_type
      ),
      null
    );
    perform orderlatch_data.check_order(
      v_decision.account_id, p_evidence ->> 'broker_order_id', 'adopted by an operator'
    );
    perform orderlatch_data.settle_submitted(v_decision, p_evidence ->> 'broker_order_id', null, p_evidence);
  end if;
  perform pg_notify('orderlatch', v_account.account);

  select s.status into v_status from orderlatch_data.status_of(v_decision.decision_id) as s;
  return v_status;
end
$$;
revoke all on function orderlatch.resolve_in_doubt(text, text, jsonb) from public;
grant execute on function orderlatch.resolve_in_doubt(text, text, jsonb) to orderlatch_operator;
comment on function orderlatch.resolve_in_doubt(text, text, jsonb) is
  'Ends a doubt by an operator''s word. p_decision_hash: 64 hex digits. p_verdict: absent (the broker has '
  'no such order; what follows is what follows a proof of absence) or adopt (it has, and p_evidence names '
  'its broker_order_id). p_evidence: JSON object of at most 16 KiB, kept in the event beside session_user. '
  'Returns the new status. Raises OL103 decision_unknown, OL131 argument_invalid, OL132, OL201 '
  'account_busy, OL202 decision_busy, OL203 decision_moved_on when it is not in doubt, OL301 '
  'login_not_bound, OL307 evidence_required.';

-- Refuses a verdict on a doubt that is none, or that does not say which order it adopts.
-- Locks: none. Raises: OL131 argument_invalid, OL307 evidence_required.
create or replace function orderlatch_data.require_verdict(p_verdict text, p_evidence jsonb)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_verdict is null or p_verdict not in ('absent', 'adopt') then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_verdict must be absent or adopt';
  end if;
  if p_verdict = 'adopt' and (
    jsonb_typeof(p_evidence -> 'broker_order_id') = 'string'
    -- as check_order: another is never read, and what happened to the order never known
    and p_evidence ->> 'broker_order_id' ~ '^[A-Za-z0-9_-]{1,128}$'
  ) is not true then
    raise exception using
      errcode = 'OL307',
      message = 'evidence_required: to adopt an order p_evidence must name its broker_order_id, a text',
      hint = 'It is the member id of the order, as the broker''s own pages show it.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_verdict(text, jsonb) from public;
comment on function orderlatch_data.require_verdict(text, jsonb) is
  'Passes absent, and adopt with a broker_order_id in p_evidence; else OL131 argument_invalid or OL307 '
  'evidence_required.';

-- Refuses to adopt an order that another decision has.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_free_order(
  p_decision orderlatch_data.trade_decisions,
  p_broker_order_id text
)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_other text;
begin
  select encode(t.decision_hash, 'hex') into v_other
    from orderlatch_data.broker_orders as x
    join orderlatch_data.trade_decisions as t on t.decision_id = x.decision_id
   where x.account_id = p_decision.account_id
     and x.broker_order_id = p_broker_order_id
     and x.decision_id <> p_decision.decision_id;
  if found then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: order %L belongs to another decision', p_broker_order_id),
      detail = format('it is the order of decision %s', v_other);
  end if;
end
$$;
revoke all on function orderlatch_data.require_free_order(orderlatch_data.trade_decisions, text) from public;
comment on function orderlatch_data.require_free_order(orderlatch_data.trade_decisions, text) is
  'Passes a broker order that no other decision of the account has, else OL131 argument_invalid.';

-- Refuses to declare absent what may still arrive: a submit that was not answered, before its time is over.
-- Locks: none; the caller holds the decision. Raises: OL203 decision_moved_on.
create or replace function orderlatch_data.require_nothing_on_its_way(p_decision_id bigint)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answer_by timestamptz;
begin
  select max(s.answer_by) into v_answer_by
    from (
      select r.answer_by
        from orderlatch_data.open_requests as r
       where r.decision_id = p_decision_id and r.kind = 'submit_order'
      union all
      -- one that was given up because its worker's life ended may be on the wire all the same
      select q.answer_by
        from orderlatch_data.doubts as d
        join orderlatch_data.broker_requests as q on q.request_id = d.request_id
       where d.decision_id = p_decision_id and d.lost and q.answer_by > orderlatch_data.clock()
    ) as s;
  if v_answer_by is not null then
    raise exception using
      errcode = 'OL203',
      message = 'decision_moved_on: a submit of the decision is still on its way',
      detail = format('it is answered, or dead, by %s', v_answer_by),
      hint = 'Wait for that: what is on its way cannot be declared absent.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_nothing_on_its_way(bigint) from public;
comment on function orderlatch_data.require_nothing_on_its_way(bigint) is
  'Passes a decision whose submits are all answered or lost, else OL203 decision_moved_on: an order with '
  'other terms can put a decision in doubt while its own submit is under way.';
