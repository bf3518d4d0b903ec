-- Why a member has no canonical JSON, or one that is too long, and where in it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_json_problem(
  p_member text,
  p_value jsonb,
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
declare
  v_text constant text := orderlatch_data.canonical_json(p_value, 32);
begin
  if octet_length(v_text) > 16384 then
    error_code := 'OL117';
    member := p_member;
    value := p_value;
    rule := 'at most 16384 bytes in canonical JSON';
  elsif v_text is null then
    with recursive parts as (
      select p_member as path, p_value as value, 1 as level
      union all
      select i.path, i.value, p.level + 1
        from parts as p
       cross join lateral (
         select p.path || '.' || left(o.key, 60), o.value
           from jsonb_each(case when jsonb_typeof(p.value) = 'object' then p.value end) as o
         union all
         select p.path || '[' || (a.place - 1)::text || ']', a.value
           from jsonb_array_elements(case when jsonb_typeof(p.value) = 'array' then p.value end)
                with ordinality as a(value, place)
       ) as i(path, value)
       where p.level <= 32
    )
    select j.error_code, j.path, j.value,
           case j.error_code
             when 'OL118' then 'a number of at most 64 digits'
             else 'within 32 levels of nesting'
           end
      into error_code, member, value, rule
      from (
        select p.path, p.value,
               case
                 when jsonb_typeof(p.value) = 'number' then
                   case when orderlatch_data.canonical_decimal(p.value::numeric) is null then 'OL118' end
                 when jsonb_typeof(p.value) in ('object', 'array') and p.level > 32 then 'OL117'
               end as error_code
          from parts as p
      ) as j
     where j.error_code is not null
     limit 1;
  end if;
end
$$;
revoke all on function orderlatch_data.find_json_problem(text, jsonb) from public;
comment on function orderlatch_data.find_json_problem(text, jsonb) is
  'The first part of a JSON value that is over its limits: 16384 bytes in canonical JSON or 32 levels '
  '(OL117), 64 digits a number (OL118). All null when the value is within them. p_member: name of the '
  'value, where the path begins.';
