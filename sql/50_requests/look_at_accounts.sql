-- Looks which accounts can be granted nothing but submits now, and at what a visit of them has to know.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.look_at_accounts(
  p_account_ids integer[],
  p_sure_of integer[],
  p_worker_id integer,
  p_begun_at timestamptz,
  p_now timestamptz,
  p_woken integer[],
  out alone integer[],
  out account_ids integer[],
  out asked integer[],
  out allowed integer[],
  out submits integer[],
  out others_wait boolean[],
  out paused_until timestamptz[],
  out due_at timestamptz[],
  out agenda orderlatch_data.account_agenda[],
  out versions tid[],
  out buckets orderlatch_data.account_budgets[],
  out bucket_versions tid[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_seen record;
  v_may record;
  v_row orderlatch_data.account_agenda;
begin
  alone := '{}';
  account_ids := '{}';
  -- a loop of small questions, most of which are asked of few accounts
  for v_seen in
    select h.agenda, h.version, h.is_verified, h.paused_until, b.tokens, b.reserved, b.submits,
           b.version as bucket_version
      from orderlatch_data.held_agenda(p_account_ids, p_worker_id) as h
      join orderlatch_data.budgets_at(p_account_ids, p_now) as b on b.account_id = (h.agenda).account_id
     order by array_position(p_account_ids, b.account_id) -- those that come first are in turn first again
  loop
    v_row := v_seen.agenda;
    if v_row.account_id = any (p_woken) or orderlatch_data.is_untidy(v_row.tidy_at, p_now) then
      v_row.tidy_at := orderlatch_data.next_tidy_at(v_row.account_id);
    end if;
    v_may := orderlatch_data.may_submit(
      v_row.account_id, p_worker_id, p_begun_at, p_now, v_seen.paused_until,
      case when v_row.approved_from is null then 0 else v_seen.submits end, v_seen.reserved
    );
    if not v_seen.is_verified or v_row.visited_at > p_begun_at or v_row.tidy_at <= p_now or v_may.alone then
      alone := alone || v_row.account_id;
      continue;
    end if;
    account_ids := account_ids || v_row.account_id;
    asked := asked || p_sure_of[array_position(p_account_ids, v_row.account_id)];
    allowed := allowed || least(asked[cardinality(asked)], v_may.submits);
    submits := submits || v_seen.submits;
    others_wait := others_wait || v_may.others_wait;
    paused_until := paused_until || v_seen.paused_until;
    due_at := due_at || v_may.due_at;
    agenda := agenda || v_row;
    versions := versions || v_seen.version;
    buckets := buckets
      || (v_row.account_id, v_seen.tokens, v_seen.reserved, p_now)::orderlatch_data.account_budgets;
    bucket_versions := bucket_versions || v_seen.bucket_version;
  end loop;
end
$$;
revoke all on function orderlatch_data.look_at_accounts(
  integer[], integer[], integer, timestamptz, timestamptz, integer[]
) from public;
comment on function orderlatch_data.look_at_accounts(
  integer[], integer[], integer, timestamptz, timestamptz, integer[]
) is
  'p_sure_of: how many calls each may be granted of its share. p_woken: accounts of which more may be to be '
  'tidied up than their row of the agenda says. alone: accounts that must be visited by themselves: the '
  'worker is not verified, the clock was set back, something is to be tidied up, or more than submits may '
  'go. Of the rest: asked: its p_sure_of; allowed: how many submits may go of these; submits: and of the '
  'budget; others_wait: whether less urgent calls wait for a token, paused_until, and due_at: as of '
  'may_submit; agenda, versions: see held_agenda; buckets, bucket_versions: what is in them at p_now, and '
  'where their rows are.';

-- How many submits an account may be granted, and whether it has to be visited by itself for other calls.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.may_submit(
  p_account_id integer,
  p_worker_id integer,
  p_begun_at timestamptz,
  p_now timestamptz,
  p_paused_until timestamptz,
  p_submits integer,
  p_reserved double precision,
  out submits integer,
  out alone boolean,
  out others_wait boolean,
  out due_at timestamptz
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kinds record;
begin
  submits := p_submits;
  alone := false;
  others_wait := false;
  due_at := orderlatch_data.next_due_at(p_account_id, p_begun_at, true);
  if p_paused_until > p_now then
    submits := 0;
  elsif due_at <= p_now then
    select coalesce(bool_or(d.urgency < 4), false) as urgent,
           coalesce(bool_or(d.urgency = 4), false) as submits,
           coalesce(bool_or(d.urgency > 4), false) as less_urgent
      into v_kinds
      from orderlatch_data.kinds_due(p_account_id, p_worker_id) as d;
    submits := case when v_kinds.submits then p_submits else 0 end;
    others_wait := v_kinds.less_urgent;
    alone := v_kinds.urgent or (others_wait and not (submits > 0 and p_reserved < 1 - 1e-6));
    due_at := orderlatch_data.next_due_at(p_account_id, p_begun_at, false);
  end if;
end
$$;
revoke all on function orderlatch_data.may_submit(
  integer, integer, timestamptz, timestamptz, timestamptz, integer, double precision
) from public;
comment on function orderlatch_data.may_submit(
  integer, integer, timestamptz, timestamptz, timestamptz, integer, double precision
) is
  'p_submits: as far as the budget goes; p_reserved: tokens of the reserve. alone: a kind more urgent than '
  'submits is due, or a less urgent one that has a token. others_wait: a less urgent kind is due; while '
  'submits take every token, it gets only whole tokens of the reserve, and there is none. due_at: '
  'next_due_at since p_begun_at, when the visit began.';
