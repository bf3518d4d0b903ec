-- Halts an account by the core itself, unless it stands halted for that reason. Binds from its commit on.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.halt_account(p_account_id integer, p_reason text)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.halts (account_id, reason, halted_at, halted_by)
  select p_account_id, p_reason, orderlatch_data.clock(), session_user
   where not exists (
     select 1
       from orderlatch_data.halts as h
      where h.account_id = p_account_id
        and h.strategy_id is null
        and h.symbol is null
        and h.reason = p_reason
        and h.lifted_at is null
        -- one that is being lifted does not count: whoever lifts it knows nothing of what happened now
        for key share skip locked
   )
$$;
revoke all on function orderlatch_data.halt_account(integer, text) from public;
comment on function orderlatch_data.halt_account(integer, text) is
  'Stops new submits of an account from the commit of this transaction on. p_reason: the incident that asks '
  'for it.';

-- Whether a decision stands under a halt of any scope.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_halted(p_account_id integer, p_strategy_id text, p_symbol text)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
      from orderlatch_data.halts as h
     where h.lifted_at is null
       and (h.account_id is null or h.account_id = p_account_id)
       and (h.strategy_id is null or h.strategy_id = p_strategy_id)
       and (h.symbol is null or orderlatch_data.is_same_symbol(h.symbol, p_symbol))
  );
end
$$;
revoke all on function orderlatch_data.is_halted(integer, text, text) from public;
comment on function orderlatch_data.is_halted(integer, text, text) is
  'Whether a halt stands over the account, strategy and symbol. With null for strategy and symbol: whether '
  'one stands over the whole account.';

-- Stops new submits in a scope, signed by the caller: once it has returned, none is granted in its scope.
-- Locks: shutting, gate (at most 5 seconds). Raises: OL102, OL131, OL301.
create or replace function orderlatch.halt(
  p_reason text,
  p_account text default null,
  p_strategy_id text default null,
  p_symbol text default null,
  p_cancel_open boolean default false
)
returns table (
  halt_id bigint,
  what text,
  account text,
  symbol text,
  decision_hash text,
  sent_by timestamptz,
  detail text
)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_symbol constant text := orderlatch_data.canonical_symbol(p_symbol);
  v_account_id integer;
  v_halt_id bigint;
begin
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_scope(p_strategy_id, p_symbol);
  if p_account is not null then
    v_account_id := (orderlatch_data.find_account(p_account)).account_id;
  end if;
  perform orderlatch_data.require_right('a halt of this scope', v_account_id, p_strategy_id);
  perform orderlatch_data.make_durable();
  insert into orderlatch_data.halts as h
    (account_id, strategy_id, symbol, reason, halted_at, halted_by, cancel_open)
  values (
    v_account_id, p_strategy_id, v_symbol, p_reason, orderlatch_data.clock(), session_user,
    coalesce(p_cancel_open, false)
  )
  returning h.halt_id into v_halt_id;
  perform orderlatch_data.shut_gate(coalesce(v_account_id, 0));
  if p_cancel_open then
    perform orderlatch_data.wake_scope(v_account_id);
  end if;
  return query
  select v_halt_id, r.what, r.account, r.symbol, r.decision_hash, r.sent_by, r.detail
    from orderlatch_data.gate_report('halted', v_account_id, p_strategy_id, v_symbol) as r;
end
$$;
revoke all on function orderlatch.halt(text, text, text, text, boolean) from public;
grant execute on function orderlatch.halt(text, text, text, text, boolean) to orderlatch_operator;
comment on function orderlatch.halt(text, text, text, text, boolean) is
  'Stops new submits in a scope; cancels, lookups and reads go on. p_reason: why, 1 to 500 characters. '
  'p_account, p_strategy_id, p_symbol: null is any. p_cancel_open: whether open orders of decisions in the '
  'scope are canceled too, also those that turn up as long as the halt stands. Once it has returned no '
  'submit is granted in its scope. Returns a row "halted"; a row "in flight" for each submit that was '
  'granted before, which reaches the broker by sent_by or never; and, when a claim could not be waited for '
  '(5 seconds), a row "in the way" for each session that may still be granting what is not listed. '
  'halt_progress(halt_id) shows how it goes on. Raises OL102 account_unknown, OL131 argument_invalid, OL301 '
  'login_not_bound.';

-- Lifts a halt, signed by the caller.
-- Locks: none. Raises: OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.lift_halt(p_halt_id bigint, p_reason text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
begin
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  select h.account_id into v_account_id
    from orderlatch_data.halts as h
   where h.halt_id = p_halt_id and h.lifted_at is null
     for update;
  if not found then
    raise exception using
      errcode = 'OL131',
      message = format(
        'argument_invalid: p_halt_id %s is no standing halt', coalesce(p_halt_id::text, 'null')
      ),
      hint = 'The standing halts are the rows of orderlatch.standing_halts.';
  end if;
  perform orderlatch_data.require_right('this halt', v_account_id, null);
  update orderlatch_data.halts as h
     set lifted_at = orderlatch_data.clock(), lifted_by = session_user, lift_reason = p_reason
   where h.halt_id = p_halt_id;
  perform orderlatch_data.wake_scope(v_account_id);
end
$$;
revoke all on function orderlatch.lift_halt(bigint, text) from public;
grant execute on function orderlatch.lift_halt(bigint, text) to orderlatch_operator;
comment on function orderlatch.lift_halt(bigint, text) is
  'Lifts a standing halt and wakes the workers. p_reason: why, 1 to 500 characters. Raises OL131 '
  'argument_invalid when there is no such standing halt, OL301 login_not_bound.';

-- Makes one account, or all of them, due for a claim, and wakes the workers.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wake_scope(p_account_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.wake_accounts(array(
    select a.account_id
      from orderlatch_data.accounts as a
     where a.account_id = coalesce(p_account_id, a.account_id)
  ));
  perform pg_notify('orderlatch', coalesce((
    select a.account from orderlatch_data.accounts as a where a.account_id = p_account_id
  ), ''));
end
$$;
revoke all on function orderlatch_data.wake_scope(integer) from public;
comment on function orderlatch_data.wake_scope(integer) is
  'p_account_id: null for all accounts.';
