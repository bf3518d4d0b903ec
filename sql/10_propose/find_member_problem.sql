-- The first member of a decision, or of the object p_parent in one, that breaks its rule in decision_members.
-- Locks: none. Raises: none; nothing is cast before its shape is known.
create or replace function orderlatch_data.find_member_problem(
  p_parent text,
  p_members jsonb,
  out error_code text,
  out member text,
  out value jsonb,
  out rule text
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- "offset 0" keeps the planner from repeating an expression wherever it is used, which costs a third more.
  select j.error_code, coalesce(nullif(p_parent, '') || '.', '') || j.member, j.value, j.rule
    into error_code, member, value, rule
    from (
      select coalesce(m.name, g.key) as member, g.value, m.rule,
             case
               when m.name is null then 'OL111'
               when coalesce(g.type, 'null') = 'null' then case when m.required then 'OL112' end
               when g.type <> all (m.types) then 'OL113'
               when m.kind = 'text' then
                 case
                   when length(g.text) > m.longest then 'OL116'
                   when length(g.text) < m.shortest or g.text ~ E'[\u0001-\u001f\u007f-\u009f]' then 'OL120'
                 end
               when m.kind = 'choice' then
                 case
                   when translate(g.text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
                        <> all (m.choices) then 'OL120'
                 end
               when m.kind = 'decimal' then
                 case
                   when length(g.text) > 128 then 'OL118'
                   when g.text !~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([Ee][+-]?[0-9]{1,4})?$' then 'OL114'
                   when coalesce(g.number, g.text::numeric) <= 0 then 'OL115'
                   when orderlatch_data.canonical_decimal(coalesce(g.number, g.text::numeric)) is null
                     then 'OL118'
                 end
               when m.kind = 'time' then
                 case when orderlatch_data.parse_time(g.text) is null then 'OL119' end
               -- A bound on work, not the rule itself: no object within its limits takes as much room.
               when m.kind = 'object' then case when pg_column_size(g.value) > 131072 then 'OL117' end
               when m.kind = 'prose' then case when octet_length(g.text) > m.longest then 'OL117' end
               when m.kind = 'version' then case when g.value <> '1' then 'OL120' end
             end as error_code
        from (
          select e.key collate "C" as key, e.value, jsonb_typeof(e.value) as type,
                 case when jsonb_typeof(e.value) = 'number' then e.value::numeric end as number,
                 case when jsonb_typeof(e.value) = 'string' then
                   btrim(e.value #>> '{}', case e.key when 'symbol' then E' \t\r\n' else '' end)
                 end collate "C" as text
            from jsonb_each(p_members) as e
          offset 0
        ) as g
        full join (
          select d.* from orderlatch.decision_members as d where d.parent = p_parent
        ) as m on m.name = g.key
      offset 0
    ) as j
   where j.error_code is not null
   order by j.error_code collate "C", j.member collate "C"
   limit 1;
end
$$;
revoke all on function orderlatch_data.find_member_problem(text, jsonb) from public;
comment on function orderlatch_data.find_member_problem(text, jsonb) is
  'The first member that breaks its rule in decision_members: error code, name, value and rule; all null '
  'when none does. p_parent: empty for a decision, or the member that holds p_members. What lies inside '
  'params and metadata is not looked at.';
