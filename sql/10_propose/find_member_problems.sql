-- The first member of each decision in an array that breaks its rule in decision_members, asked once for all.
-- Locks: none. Raises: none; nothing is cast before its shape is known.
create or replace function orderlatch_data.find_member_problems(p_decisions jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_upper constant text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  v_lower constant text := 'abcdefghijklmnopqrstuvwxyz';
  v_problems jsonb;
begin
  -- "offset 0" keeps the planner from repeating an expression wherever it is used: a third more.
  -- Of problems under one key jsonb keeps the last, so the first of a decision comes last. Functions are kept
  -- once for each collation, hence "default".
  select jsonb_object_agg(
           j.place,
           jsonb_build_object('error_code', j.error_code, 'member', j.path, 'value', j.value, 'rule', j.rule)
           order by j.parent_no desc, j.error_code collate "C" desc, j.path collate "C" desc
         ) into v_problems
    from (
      select g.place, g.parent_no, g.value, g.rules ->> 'rule' as rule,
             coalesce(nullif(g.parent, '') || '.', '') || g.key as path,
             case
               when g.rules is null then 'OL111'
               when g.type = 'null' then case when (g.rules ->> 'required')::boolean then 'OL112' end
               when not g.rules -> 'types' ? g.type then 'OL113'
               else case g.rules ->> 'kind'
                 when 'text' then
                   case when length(g.text) > (g.rules ->> 'longest')::integer then 'OL116'
                     when length(g.text) < (g.rules ->> 'shortest')::integer
                       or g.text ~ E'[\u0001-\u001f\u007f-\u009f]' then 'OL120'
                   end
                 when 'choice' then
                   case when not g.rules -> 'choices' ? translate(g.text, v_upper, v_lower) then 'OL120' end
                 when 'decimal' then
                   case when length(g.text) > 128 then 'OL118'
                     when g.text !~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([Ee][+-]?[0-9]{1,4})?$' then 'OL114'
                     when coalesce(g.number, g.text::numeric) <= 0 then 'OL115'
                     when orderlatch_data.canonical_decimal(coalesce(g.number, g.text::numeric)) is null
                       then 'OL118'
                   end
                 when 'time' then
                   case when orderlatch_data.parse_time(g.text collate "default") is null then 'OL119' end
                 -- A bound on work, not the rule itself: no object within its limits takes as much room.
                 when 'object' then case when pg_column_size(g.value) > 131072 then 'OL117' end
                 when 'prose' then
                   case when octet_length(g.text) > (g.rules ->> 'longest')::integer then 'OL117' end
                 when 'version' then case when g.value <> '1' then 'OL120' end
               end
             end as error_code
        from (
          select p.place, p.parent_no, p.parent, e.key collate "C" as key, e.value,
                 jsonb_typeof(e.value) as type,
                 orderlatch_data.member_rules() -> p.parent -> e.key as rules,
                 case when jsonb_typeof(e.value) = 'number' then e.value::numeric end as number,
                 case when jsonb_typeof(e.value) = 'string' then
                   btrim(e.value #>> '{}', case e.key when 'symbol' then E' \t\r\n' else '' end)
                 end collate "C" as text
            from orderlatch_data.objects_with_members(p_decisions) as p
           cross join lateral jsonb_each(p.members) as e
          offset 0
        ) as g
      offset 0
    ) as j
   where j.error_code is not null;
  return coalesce(v_problems, '{}');
end
$$;
revoke all on function orderlatch_data.find_member_problems(jsonb) from public;
comment on function orderlatch_data.find_member_problems(jsonb) is
  'An object with a member for each decision in which a member breaks its rule in decision_members: under '
  'its place in p_decisions, counted from 1, the error_code, member, value and rule of the first: of its '
  'own members, else of take_profit, else of stop_loss; in the order of code and name. Nothing of an '
  'element that is no object or has more than 262144 bytes. What lies inside params and metadata is not '
  'looked at.';

-- The objects in an array of decisions whose members have rules: decisions, take_profit and stop_loss.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.objects_with_members(p_decisions jsonb)
returns table (place integer, parent_no integer, parent text, members jsonb)
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_decision jsonb;
begin
  for v_place in 1 .. jsonb_array_length(p_decisions) loop
    v_decision := p_decisions -> v_place - 1;
    -- A bound on work: a decision whose members are within their limits is smaller.
    continue when jsonb_typeof(v_decision) <> 'object' or pg_column_size(v_decision) > 262144;
    place := v_place;
    parent_no := 1;
    parent := '';
    members := orderlatch_data.required_members() || v_decision;
    return next;
    foreach parent in array '{take_profit,stop_loss}'::text[] loop
      parent_no := parent_no + 1;
      members := v_decision -> parent;
      if jsonb_typeof(members) = 'object' then
        return next;
      end if;
    end loop;
  end loop;
end
$$;
revoke all on function orderlatch_data.objects_with_members(jsonb) from public;
comment on function orderlatch_data.objects_with_members(jsonb) is
  'A row for each, with the place of its decision, counted from 1. A required member that a decision does '
  'not have is null in it. An element that is no object or has more than 262144 bytes has no row.';
