-- A 2xx to a submit or a lookup is an order when it names itself, its status and the client_order_id that was asked for.
begin;
select plan(35);

create function pg_temp.meaning(p_kind text, p_sent text, p_status integer, p_body text) returns text language sql volatile as $$
  select r.meaning from orderlatch_data.read_answer(p_kind, repeat('a', 64), p_sent, p_status, convert_to(p_body, 'UTF8')) as r
$$;
create temporary table shapes (body text, meaning text, title text);
insert into shapes
select o.document::text, o.meaning, o.title
  from (
    values ('{}'::jsonb, 'order_exists', 'an order with our id'),
           ('{"status": "never_heard_of"}', 'order_exists', 'an order in an unknown status'),
           ('{"status": "rejected"}', 'order_exists', 'an order that was rejected later'),
           (jsonb_build_object('client_order_id', repeat('b', 64)), 'in_doubt', 'an order with another id'),
           (jsonb_build_object('client_order_id', repeat('A', 64)), 'in_doubt', 'an order with our id in upper case'),
           ('{"client_order_id": null}', 'in_doubt', 'an order without a client_order_id'),
           ('{"id": null}', 'in_doubt', 'an order without an id'), ('{"id": ""}', 'in_doubt', 'an order with an empty id'),
           ('{"id": 7}', 'in_doubt', 'an order whose id is a number'),
           ('{"status": null}', 'in_doubt', 'an order without a status'), ('{"status": "a b"}', 'in_doubt',
            'an order whose status is prose')
  ) as s(members, meaning, title)
 cross join lateral (
   select jsonb_build_object('id', 'x', 'client_order_id', repeat('a', 64), 'status', 'new') || s.members, s.meaning, s.title
 ) as o(document, meaning, title);
insert into shapes
values ('', 'in_doubt', 'an empty body'), ('null', 'in_doubt', 'null'), ('[]', 'in_doubt', 'a list'), ('<html>', 'in_doubt',
        'a page'),
       ('{"id": "x", "client_order_id": "' || repeat('a', 64) || '", "status": "ne', 'in_doubt', 'an order that is cut off');

select is(pg_temp.meaning(k.kind, 'yes', k.status, s.body), s.meaning,
          format('%s to %s: %s is %s', k.status, k.kind, s.title, s.meaning))
  from shapes as s, (values ('submit_order', 200), ('find_order', 200)) as k(kind, status);
select is(pg_temp.meaning('submit_order', c.sent, c.status, (select s.body from shapes as s limit 1)), c.meaning, c.title)
  from (values ('yes', 201, 'order_exists', '201 is as good as 200'), ('yes', 500, 'in_doubt', 'an order in a 500 is in doubt'),
               ('maybe', 200, 'in_doubt', 'a response that is not whole is in doubt')) as c(sent, status, meaning, title);

select * from finish();
rollback;
