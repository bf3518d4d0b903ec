-- Rows of operators as their acts tell them: table, key, the row, and when it was made.
create or replace view orderlatch_data.acted_rows as
  select 'halts' as acted_on, h.halt_id::text as row_key, to_jsonb(h) as detail, h.halted_at as made_at
    from orderlatch_data.halts as h
  union all
  select 'live_grants', g.grant_id::text, to_jsonb(g), g.granted_at from orderlatch_data.live_grants as g
  union all
  select 'accounts', a.account_id::text, to_jsonb(a), a.created_at from orderlatch_data.accounts as a
  union all
  select 'login_bindings', jsonb_build_array(b.login, b.account_id, b.strategy_id)::text, to_jsonb(b),
         b.bound_at
    from orderlatch_data.login_bindings as b
  union all
  select 'risk_limit_changes', c.change_no::text, to_jsonb(c), c.changed_at
    from orderlatch_data.risk_limit_changes as c
  union all
  select 'sign_offs', s.sign_off_id::text, to_jsonb(s), s.signed_at from orderlatch_data.sign_offs as s
  union all
  select 'position_adjustments', p.adjustment_id::text, to_jsonb(p), p.adjusted_at
    from orderlatch_data.position_adjustments as p
  union all
  select 'archivings', g.archiving_id::text, to_jsonb(g), g.ordered_at from orderlatch_data.archivings as g
  union all
  select 'incidents', i.incident_id::text, to_jsonb(i), i.closed_at
    from orderlatch_data.incidents as i
   where i.closed_at is not null;
comment on view orderlatch_data.acted_rows is
  'Every row that an act of operator_acts tells of, as it is now. made_at: closed_at of incidents.';

-- The newest act on each row.
create or replace view orderlatch_data.newest_acts as
  select distinct on (k.acted_on, k.row_key) k.acted_on, k.row_key, k.act_no, k.deed, k.detail
    from (
      select split_part(a.act, ' ', 1) as acted_on, split_part(a.act, ' ', 2) as deed, a.act_no, a.detail,
             case split_part(a.act, ' ', 1)
               when 'halts' then a.detail ->> 'halt_id'
               when 'live_grants' then a.detail ->> 'grant_id'
               when 'accounts' then a.detail ->> 'account_id'
               when 'login_bindings' then jsonb_build_array(
                 a.detail ->> 'login', (a.detail ->> 'account_id')::integer, a.detail ->> 'strategy_id'
               )::text
               when 'risk_limit_changes' then a.detail ->> 'change_no'
               when 'sign_offs' then a.detail ->> 'sign_off_id'
               when 'position_adjustments' then a.detail ->> 'adjustment_id'
               when 'archivings' then a.detail ->> 'archiving_id'
               when 'incidents' then a.detail ->> 'incident_id'
             end as row_key
        from orderlatch_data.operator_acts as a
    ) as k
   order by k.acted_on, k.row_key, k.act_no desc;
comment on view orderlatch_data.newest_acts is
  'deed: insert, update or delete; detail: the row as that deed left it, or removed it.';

-- What is wrong with the chain of acts, and where rows differ from what their acts tell.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.act_findings()
returns table (act_no bigint, finding text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
#variable_conflict use_column
begin
  return query
  select a.act_no, 'it, or an act that it saw, is not what was written'
    from orderlatch_data.operator_acts as a
   where a.act_hash <> orderlatch_data.act_hash(a.act_no, a.act, a.detail, a.acted_at, a.acted_by, a.saw)
  union all
  select coalesce(n.act_no, t.act_no),
         case when n.act_no is null then 'it is gone' else 'an act that saw it is gone' end
    from (
      select a.act_no from orderlatch_data.operator_acts as a
      except
      select unnest(a.saw) from orderlatch_data.operator_acts as a
    ) as n
    full join orderlatch_data.act_tips as t on t.act_no = n.act_no
   where n.act_no is null or t.act_no is null
  union all
  select n.act_no, format('%s %s: %s', coalesce(n.acted_on, r.acted_on), coalesce(n.row_key, r.row_key), case
           when r.row_key is null then 'the row is gone'
           when n.row_key is null or n.deed = 'delete' then 'the row was not made by any act'
           else 'the row is not what its newest act says'
         end)
    from orderlatch_data.newest_acts as n
    full join orderlatch_data.acted_rows as r on r.acted_on = n.acted_on and r.row_key = n.row_key
   where case
           when n.row_key is null then r.made_at >= (
             select c.started_at from orderlatch_data.chain_starts as c
           )
           when r.row_key is null then n.deed <> 'delete'
           else n.deed = 'delete' or not orderlatch_data.has_members(r.detail, n.detail)
         end
   order by 1, 2;
end
$$;
revoke all on function orderlatch_data.act_findings() from public;
grant execute on function orderlatch_data.act_findings() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.act_findings() is
  'One row for each act that is not what was written, and for each row that is not what its newest act says. '
  'With the rights of the owner, as the view invariants calls it for its readers.';

-- Whether a row still has every member that an act wrote of it; columns that came later do not matter.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.has_members(p_row jsonb, p_detail jsonb)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return not exists (
    select 1 from jsonb_each(p_detail) as m where p_row -> m.key is distinct from m.value
  );
end
$$;
revoke all on function orderlatch_data.has_members(jsonb, jsonb) from public;
comment on function orderlatch_data.has_members(jsonb, jsonb) is
  'Compares member by member, each as a whole.';
