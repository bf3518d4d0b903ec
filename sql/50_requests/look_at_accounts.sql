-- Looks which accounts can be granted nothing but submits now, and at what a visit of them has to know.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.look_at_accounts(
  p_account_ids integer[], p_sure_of integer[], p_worker_id integer, p_begun_at timestamptz,
  p_now timestamptz, p_woken integer[],
  out alone integer[], out account_ids integer[], out asked integer[], out allowed integer[],
  out submits integer[], out others_wait boolean[], out due_at timestamptz[], out tidy_at timestamptz[],
  out rows orderlatch_data.seen_accounts[], out buckets orderlatch_data.account_budgets[],
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
  v_row orderlatch_data.seen_accounts;
  v_tidy_at timestamptz;
  v_bucket record;
  v_may record;
begin
  alone := '{}';
  account_ids := '{}';
  for v_seen in
    select n.sure_of, r.is_verified, r.found
      from unnest(p_account_ids, p_sure_of) as n(account_id, sure_of)
     cross join lateral ( -- by their keys, in this order: who comes first is in turn first again
       select k as found,
              exists (
                select 1 from orderlatch_data.worker_accounts as c
                 where (c.worker_id, c.account_id) = (p_worker_id, n.account_id) and c.verified_at is not null
              ) as is_verified
         from orderlatch_data.seen_accounts as k
        where k.account_id = n.account_id offset 0
     ) as r
  loop
    v_row := v_seen.found;
    v_tidy_at := (v_row.agenda).tidy_at;
    if v_row.account_id = any (p_woken) or orderlatch_data.is_untidy(v_tidy_at, p_now) then
      v_tidy_at := orderlatch_data.next_tidy_at(v_row.account_id);
    end if;
    v_bucket := orderlatch_data.bucket_at(
      v_row.tokens, v_row.reserved, v_row.counted_at, v_row.rate_limit, v_row.burst, v_row.broker_limit,
      v_row.remaining, v_row.resets_at, cardinality(v_row.under_way), p_now
    );
    v_may := orderlatch_data.may_submit(
      v_row.account_id, p_worker_id, p_begun_at, p_now, v_row.paused_until,
      case when (v_row.agenda).approved_from is null then 0 else v_bucket.submits end, v_bucket.reserved
    );
    if not v_seen.is_verified or v_may.alone or v_tidy_at <= p_now
      or (v_row.agenda).visited_at > p_begun_at
    then
      alone := alone || v_row.account_id;
      continue;
    end if;
    account_ids := account_ids || v_row.account_id;
    asked := asked || v_seen.sure_of;
    allowed := allowed || least(v_seen.sure_of, v_may.submits);
    submits := submits || v_bucket.submits;
    others_wait := others_wait || v_may.others_wait;
    due_at := due_at || v_may.due_at;
    tidy_at := tidy_at || v_tidy_at;
    rows := rows || v_row;
    buckets := buckets
      || (v_row.account_id, v_bucket.tokens, v_bucket.reserved, p_now)::orderlatch_data.account_budgets;
    bucket_versions := bucket_versions || v_row.bucket_version;
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
  'budget; others_wait: whether less urgent calls wait for a token; due_at: as of may_submit; tidy_at: when '
  'it is to be tidied up; rows: what was read; buckets, bucket_versions: what is in them at p_now, '
  'and where their rows are.';

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
