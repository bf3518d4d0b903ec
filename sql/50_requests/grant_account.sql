-- Grants the calls of an account that are due, most urgent kind first, as far as its rate budget goes.
-- Locks: gate (try, shared), decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_account(
  p_account orderlatch_data.accounts, p_worker_id integer, p_how_many integer, p_gate_is_open boolean
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_budget record;
  v_left integer := p_how_many;
  v_kinds text[];
  v_place integer;
  v_first text;
  v_kind text;
  v_may integer;
  v_granted integer;
  v_of_reserve integer;
  v_submits_wait boolean := false;
  v_kept integer := 0;
begin
  select b.calls, b.submits, least(b.calls, floor(b.reserved + 1e-6))::integer as kept, b.tokens, b.reserved,
         b.version into strict v_budget
    from orderlatch_data.budgets_at(array[p_account.account_id], v_now) as b;
  v_kinds := array(select k.kind from orderlatch_data.kinds_due(p_account.account_id, p_worker_id) as k);
  v_place := array_position(v_kinds, 'submit_order');
  if v_place < cardinality(v_kinds) and v_budget.kept > 0 and p_how_many <= v_budget.submits then
    -- submits would take every slot: of the others, which the reserve has a token for, one goes before them
    v_first := v_kinds[v_place + 1];
    v_kinds := v_kinds[:v_place - 1] || v_first || v_kinds[v_place:];
  end if;
  -- a loop, because each kind leaves less to the next
  foreach v_kind in array v_kinds loop
    v_may := least(v_left, case
      when v_kind = v_first then 1
      when v_kind = 'submit_order' then v_budget.submits
      -- of what comes in while submits wait, what is less urgent has the share of the reserve
      when v_submits_wait then v_budget.kept
      else v_budget.calls
    end);
    if v_kind = 'submit_order' then
      -- a statement of its own: halts are read when the gate is held
      continue when not p_gate_is_open or not orderlatch_data.try_enter_gate(p_account.account_id);
      v_submits_wait := v_may = 0 and orderlatch_data.is_submit_due(p_account.account_id);
    end if;
    continue when v_may = 0;
    return query
    select g.* from orderlatch_data.grant_kind(p_account, p_worker_id, v_may, v_kind) as g;
    get diagnostics v_granted = row_count;
    v_left := v_left - v_granted;
    v_budget.calls := v_budget.calls - v_granted;
    v_budget.submits := greatest(0, v_budget.submits - v_granted);
    v_of_reserve := case when v_submits_wait or v_kind = v_first then v_granted else 0 end;
    v_kept := v_kept + v_of_reserve;
    v_budget.kept := least(v_budget.kept - v_of_reserve, v_budget.calls);
    v_first := nullif(v_first, v_kind);
    v_submits_wait := v_submits_wait or (v_kind = 'submit_order' and v_granted = v_may);
  end loop;
  if v_left < p_how_many then
    perform orderlatch_data.spend_tokens(array[
        (p_account.account_id, v_budget.tokens, v_budget.reserved, v_now)::orderlatch_data.account_budgets
      ], array[v_budget.version], array[p_how_many - v_left], array[v_kept]);
  end if;
end
$$;
revoke all on function orderlatch_data.grant_account(orderlatch_data.accounts, integer, integer, boolean)
  from public;
comment on function orderlatch_data.grant_account(
  orderlatch_data.accounts, integer, integer, boolean
) is
  'Grants up to p_how_many calls, each for a token. Submits leave the reserve of the bucket to every other '
  'kind; kinds less urgent than submits leave them the rest, and get a slot where the reserve has a token '
  'for them. Submits go only when p_gate_is_open (the gate of all accounts was entered) and the account''s '
  'own gate can be entered too.';

-- Grants calls of one kind.
-- Locks: decisions (try); the caller holds the account for granting, and its gate. Raises: none.
create or replace function orderlatch_data.grant_kind(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_how_many integer,
  p_kind text
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_kind
    when 'get_account' then
      return query select g.* from orderlatch_data.grant_identity_check(p_account, p_worker_id) as g;
    when 'cancel_order' then
      return query select g.* from orderlatch_data.grant_cancels(p_account, p_worker_id, p_how_many) as g;
    when 'find_order' then
      return query select g.* from orderlatch_data.grant_lookups(p_account, p_worker_id, p_how_many) as g;
    when 'proof' then
      return query select g.* from orderlatch_data.grant_pages(p_account, p_worker_id, p_how_many) as g;
    when 'submit_order' then
      return query
      select g.*
        from orderlatch_data.grant_submits(
               p_worker_id, array[orderlatch_data.agenda_row(p_account.account_id)], array[p_how_many]
             ) as s
       cross join unnest(s.granted) as g;
    when 'get_order' then
      return query select g.* from orderlatch_data.grant_checks(p_account, p_worker_id, p_how_many) as g;
    when 'standing reads' then
      return query
      select g.* from orderlatch_data.grant_standing_reads(p_account, p_worker_id, p_how_many) as g;
  end case;
end
$$;
revoke all on function orderlatch_data.grant_kind(orderlatch_data.accounts, integer, integer, text)
  from public;
comment on function orderlatch_data.grant_kind(orderlatch_data.accounts, integer, integer, text) is
  'Calls the function that grants a kind. p_kind: as kinds_due returns it.';
