-- Adds up what has ended of a day, once enough has come together, so that no verdict reads it again.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.move_day_mark(
  p_account orderlatch_data.accounts,
  p_now timestamptz
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id constant integer := p_account.account_id;
  v_day_from constant timestamptz := orderlatch_data.day_began_at(p_account, p_now);
  v_mark constant record := orderlatch_data.valid_day_mark(v_account_id, v_day_from, p_now);
  v_new bigint[];
begin
  if v_mark.up_to is null then
    -- not to become valid again: what is approved while the clock is set back lies before it
    perform orderlatch_data.forget_day(v_account_id);
  end if;
  v_new := array(
    select v.decision_id
      from orderlatch_data.recent_approvals(v_account_id, null, coalesce(v_mark.up_to, v_day_from), null) as v
     where v.judged_at < p_now
  );
  if cardinality(v_new) < 32 then
    return;
  end if;
  if v_mark.up_to is null then
    -- before the orders are read: whatever one of these rows tells of is committed, and read below
    delete from orderlatch_data.day_recounts as r where r.account_id = v_account_id;
  end if;
  with ended as materialized (
    select e.* from orderlatch_data.ended_orders(v_new || coalesce(v_mark.apart, '{}')) as e
  ), added as (
    insert into orderlatch_data.day_sums as s (account_id, symbol, strategy_id, orders, worth)
    select v_account_id, e.symbol, e.strategy_id, count(*), sum(e.worth)
      from ended as e
     where e.has_ended and e.worth is not null
     group by e.symbol, e.strategy_id
     order by e.symbol, e.strategy_id
    on conflict on constraint day_sums_pkey do update
      set orders = s.orders + excluded.orders, worth = s.worth + excluded.worth
  )
  insert into orderlatch_data.day_marks as m (account_id, day_from, up_to, apart)
  select v_account_id, v_day_from, p_now,
         coalesce(array_agg(e.decision_id order by e.decision_id) filter (where not e.has_ended), '{}')
    from ended as e
  on conflict on constraint day_marks_pkey do update set up_to = excluded.up_to, apart = excluded.apart;
end
$$;
revoke all on function orderlatch_data.move_day_mark(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.move_day_mark(orderlatch_data.accounts, timestamptz) is
  'To be called with each verdict of an account that has a limit of a day, p_now being when it was given. '
  'Once 32 approvals of earlier moments are not added up, it adds up those whose orders can change no more, '
  'and sets the others apart. A mark that is not valid goes, and the day is added up anew.';

-- What a mark has added up.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.marked_stakes(
  p_account_id integer,
  p_symbols text[],
  p_with_worth boolean
)
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select k.*
    from orderlatch_data.day_sums as s
   cross join lateral orderlatch_data.make_stake(
     s.strategy_id, s.symbol,
     p_day_orders => s.orders,
     p_day_worth => case when p_with_worth then s.worth else 0 end
   ) as k
   where s.account_id = p_account_id
     and (p_symbols is null or s.symbol = any (p_symbols));
end
$$;
revoke all on function orderlatch_data.marked_stakes(integer, text[], boolean) from public;
comment on function orderlatch_data.marked_stakes(integer, text[], boolean) is
  'A stake for each strategy and symbol of day_sums, of an account whose mark is valid. p_with_worth: with '
  'dollars, else 0. p_symbols: as positions have them; null: all.';

-- The mark of a day, where what it says holds.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.valid_day_mark(
  p_account_id integer,
  p_day_from timestamptz,
  p_now timestamptz,
  out up_to timestamptz,
  out apart bigint[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  select m.up_to, m.apart into up_to, apart
    from orderlatch_data.day_marks as m
   where m.account_id = p_account_id
     and m.day_from = p_day_from
     and m.up_to <= p_now
     and not exists (select 1 from orderlatch_data.day_recounts as r where r.account_id = m.account_id);
end
$$;
revoke all on function orderlatch_data.valid_day_mark(integer, timestamptz, timestamptz) from public;
comment on function orderlatch_data.valid_day_mark(integer, timestamptz, timestamptz) is
  'up_to and apart as in day_marks; null where there is no mark, or it is of another day, or lies ahead of '
  'p_now because the clock was set back, or an order that it counts has changed.';

-- Takes back what was added up of a day.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.forget_day(p_account_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from orderlatch_data.day_marks as m where m.account_id = p_account_id;
  if found then
    delete from orderlatch_data.day_sums as s where s.account_id = p_account_id;
  end if;
end
$$;
revoke all on function orderlatch_data.forget_day(integer) from public;
comment on function orderlatch_data.forget_day(integer) is
  'Removes the mark and the sums of an account: the next verdicts read its day again.';

-- Whether limits of these kinds count what was approved in a day.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.has_day_limit(p_kinds orderlatch_data.risk_limit_kinds[])
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kind orderlatch_data.risk_limit_kinds;
begin
  foreach v_kind in array p_kinds loop
    if v_kind.limit_kind in ('orders_a_day', 'notional_a_day') then
      return true;
    end if;
  end loop;
  return false;
end
$$;
revoke all on function orderlatch_data.has_day_limit(orderlatch_data.risk_limit_kinds[]) from public;
comment on function orderlatch_data.has_day_limit(orderlatch_data.risk_limit_kinds[]) is
  'Whether one of them is orders_a_day or notional_a_day.';

-- When the calendar day of an account began.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.day_began_at(
  p_account orderlatch_data.accounts,
  p_now timestamptz
)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return date_trunc('day', p_now, p_account.day_time_zone);
end
$$;
revoke all on function orderlatch_data.day_began_at(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.day_began_at(orderlatch_data.accounts, timestamptz) is
  'The newest midnight in the account''s day_time_zone.';
