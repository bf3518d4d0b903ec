-- Keeps every version of a limit.
-- Locks: none. Raises: OL901 append_only, for what is no change of its value.
create or replace function orderlatch_data.keep_limit_versions()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and (old.limit_id, old.limit_kind, old.account_id, old.strategy_id, old.symbol)
       is distinct from (new.limit_id, new.limit_kind, new.account_id, new.strategy_id, new.symbol)
  then
    raise exception using
      errcode = 'OL901',
      message = 'append_only: kind and scope of a limit never change',
      hint = 'Switch it off with p_enabled false, and set another.';
  end if;
  insert into orderlatch_data.risk_limit_changes (
    limit_id, from_ceiling, to_ceiling, from_symbols, to_symbols, was_enabled, is_enabled, changed_at,
    changed_by
  )
  values (
    new.limit_id, old.ceiling, new.ceiling, old.symbols, new.symbols, old.enabled, new.enabled, new.set_at,
    new.set_by
  );
  return null;
end
$$;
revoke all on function orderlatch_data.keep_limit_versions() from public;
comment on function orderlatch_data.keep_limit_versions() is
  'Trigger after inserts into and updates of risk_limits: writes from what to what, who and when. OL901 '
  'append_only when kind or scope would change.';

drop trigger if exists keep_versions on orderlatch_data.risk_limits;
create trigger keep_versions after insert or update on orderlatch_data.risk_limits
  for each row execute function orderlatch_data.keep_limit_versions();
comment on trigger keep_versions on orderlatch_data.risk_limits is 'Writes the history of each limit.';

drop trigger if exists never_removed on orderlatch_data.risk_limits;
create trigger never_removed before delete or truncate on orderlatch_data.risk_limits
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger never_removed on orderlatch_data.risk_limits is
  'Refuses delete and truncate: verdicts name the limits that they were given by.';

drop trigger if exists written_once on orderlatch_data.risk_limit_changes;
create trigger written_once before update or delete or truncate on orderlatch_data.risk_limit_changes
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.risk_limit_changes is
  'Refuses update, delete and truncate.';

-- The kinds of limits, for people who set them.
create or replace view orderlatch.limit_kinds as
  select k.limit_kind, k.unit, k.description, k.takes, k.counts
    from orderlatch_data.risk_limit_kinds as k
   order by k.limit_kind;
revoke all on orderlatch.limit_kinds from public;
grant select on orderlatch.limit_kinds to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.limit_kinds is
  'The kinds of limits with their units. takes: ceiling, or nothing (0), for set_limit; symbols for '
  'set_symbols. counts: what is added up, in each account by itself.';

-- Every version of every limit.
create or replace view orderlatch.limit_history as
  select c.changed_at, c.changed_by, c.limit_id, l.limit_kind, coalesce(a.account, '(any)') as account,
         coalesce(l.strategy_id, '(any)') as strategy_id, coalesce(l.symbol, '(any)') as symbol,
         c.from_ceiling, c.to_ceiling, c.from_symbols, c.to_symbols, c.was_enabled, c.is_enabled, c.change_no
    from orderlatch_data.risk_limit_changes as c
    join orderlatch_data.risk_limits as l on l.limit_id = c.limit_id
    left join orderlatch_data.accounts as a on a.account_id = l.account_id
   order by c.change_no;
revoke all on orderlatch.limit_history from public;
grant select on orderlatch.limit_history to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.limit_history is
  'Who set each limit, when, and from what to what; was_enabled is null for a new one. A verdict was given '
  'by the newest version before its judged_at.';
