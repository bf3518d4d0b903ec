-- What an answer means by itself: each rule of answer_rules with what fits it and what just does not.
begin;
select plan(92);

create function pg_temp.meaning(p_kind text, p_status integer, p_body text) returns text language sql volatile as $$
  select r.meaning from orderlatch_data.read_answer(p_kind, repeat('a', 64), 'yes', p_status, convert_to(p_body, 'UTF8')) as r
$$;
create function pg_temp.error(p_code bigint, p_message text) returns text language sql immutable as $$
  select jsonb_strip_nulls(jsonb_build_object('code', p_code, 'message', p_message))::text
$$;

-- Errors in the broker's own words.
select is(pg_temp.meaning(e.kind, e.status, pg_temp.error(e.code, e.message)), e.meaning,
          format('rule %s: %s %s %s "%s" is %s', e.rule, e.kind, e.status, coalesce(e.code::text, 'without a code'), e.message,
            e.meaning))
  from (
    values
      ('10', 'submit_order', 422, 40010001, 'client_order_id must be unique', 'duplicate'),
      ('10', 'submit_order', 422, 42210000, 'client_order_id must be unique', 'duplicate'),
      ('10', 'submit_order', 409, null, 'Client Order ID must be unique.', 'duplicate'),
      ('10', 'submit_order', 422, 40010001, 'clientorderid must be unique', 'duplicate'),
      ('10', 'submit_order', 400, 40010001, 'client_order_id must be unique', 'duplicate'),
      ('10', 'submit_order', 403, 40310000, 'client_order_id must be unique', 'duplicate'),
      ('10', 'submit_order', 399, 40010001, 'client_order_id must be unique', 'in_doubt'),
      ('10', 'submit_order', 423, 40010001, 'client_order_id must be unique', 'in_doubt'),
      ('10', 'find_order', 422, 40010001, 'client_order_id must be unique', 'in_doubt'),
      ('10', 'submit_order', 422, 40010001, 'client_order_id must be no more than 128 characters', 'refused'),
      ('11', 'submit_order', 409, 40910000, 'conflict', 'duplicate'),
      ('11', 'submit_order', 409, 40910001, 'conflict', 'in_doubt'),
      ('11', 'submit_order', 409, null, 'conflict', 'in_doubt'),
      ('20', 'submit_order', 429, 42910000, 'rate limit exceeded', 'throttled'),
      ('20', 'submit_order', 429, null, 'too many requests.', 'throttled'),
      ('20', 'find_order', 429, 42910000, 'rate limit exceeded', 'throttled'),
      ('20', 'list_orders', 429, 42910000, 'rate limit exceeded', 'throttled'),
      ('20', 'get_account', 429, 42910000, 'rate limit exceeded', 'throttled'),
      ('20', 'submit_order', 429, 42910000, 'order was queued', 'in_doubt'),
      ('20', 'submit_order', 430, 42910000, 'rate limit exceeded', 'in_doubt'),
      ('30', 'submit_order', 401, null, 'unauthorized.', 'unauthorized'),
      ('30', 'find_order', 401, 40110000, 'request is not authorized', 'unauthorized'),
      ('30', 'list_orders', 401, null, 'anything', 'unauthorized'),
      ('30', 'get_account', 401, null, 'unauthorized.', 'unauthorized'),
      ('30', 'submit_order', 402, null, 'unauthorized.', 'in_doubt'),
      ('31', 'submit_order', 403, null, 'forbidden.', 'unauthorized'),
      ('31', 'submit_order', 403, 40310000, 'Forbidden', 'unauthorized'),
      ('31', 'find_order', 403, null, 'request is not authorized', 'unauthorized'),
      ('31', 'submit_order', 403, null, 'forbidden by the weather', 'in_doubt'),
      ('31', 'submit_order', 403, 40310000, 'account is not authorized to trade', 'refused'),
      ('40', 'submit_order', 403, 40310000, 'insufficient buying power', 'refused'),
      ('40', 'submit_order', 403, 40310000, 'potential wash trade detected. use complex orders', 'refused'),
      ('40', 'submit_order', 403, 40310001, 'insufficient buying power', 'in_doubt'),
      ('40', 'submit_order', 403, null, 'insufficient buying power', 'in_doubt'),
      ('40', 'find_order', 403, 40310000, 'insufficient buying power', 'in_doubt'),
      ('41', 'submit_order', 403, 40310100, 'trade denied due to pattern day trading protection', 'refused'),
      ('41', 'list_orders', 403, 40310100, 'trade denied due to pattern day trading protection', 'in_doubt'),
      ('42', 'submit_order', 400, 40010000, 'request body format is invalid', 'refused'),
      ('42', 'submit_order', 400, 40010002, 'request body format is invalid', 'in_doubt'),
      ('42', 'find_order', 400, 40010000, 'request body format is invalid', 'in_doubt'),
      ('43', 'submit_order', 400, 40010001, 'qty or notional is required', 'refused'),
      ('43', 'submit_order', 405, 40010001, 'qty or notional is required', 'in_doubt'),
      ('44', 'submit_order', 422, 40010001, 'qty must be > 0', 'refused'),
      ('44', 'submit_order', 422, null, 'qty must be > 0', 'in_doubt'),
      ('44', 'find_order', 422, 40010001, 'client_order_id is missing', 'in_doubt'),
      ('45', 'submit_order', 422, 42210000, 'asset "ZZZZ" not found', 'refused'),
      ('45', 'submit_order', 422, 42210001, 'asset "ZZZZ" not found', 'in_doubt'),
      ('50', 'find_order', 404, 40410000, 'order not found for aaaa', 'absent'),
      ('50', 'find_order', 404, 40410000, 'Order not found', 'absent'),
      ('50', 'find_order', 404, 40410000, 'endpoint not found', 'in_doubt'),
      ('50', 'find_order', 404, 40410000, 'the order not found', 'in_doubt'),
      ('50', 'find_order', 404, null, 'order not found for aaaa', 'in_doubt'),
      ('50', 'find_order', 404, 40410001, 'order not found for aaaa', 'in_doubt'),
      ('50', 'find_order', 410, 40410000, 'order not found for aaaa', 'in_doubt'),
      ('50', 'submit_order', 404, 40410000, 'order not found for aaaa', 'in_doubt'),
      ('50', 'list_orders', 404, 40410000, 'order not found for aaaa', 'in_doubt'),
      ('no', 'submit_order', 500, 50010000, 'internal server error occurred', 'in_doubt'),
      ('no', 'submit_order', 408, null, 'timeout', 'in_doubt'),
      ('no', 'submit_order', 302, null, 'moved', 'in_doubt'),
      ('no', 'submit_order', 100, null, 'continue', 'in_doubt'),
      ('no', 'get_account', 403, 40310000, 'account is restricted', 'in_doubt')
  ) as e(rule, kind, status, code, message, meaning);

-- The same status from anybody else: a proxy's page, an empty body, a text, a list, a message that is none.
select is(pg_temp.meaning(b.kind, b.status, b.body), 'in_doubt',
          format('a %s for %s that says %s proves nothing', b.status, b.kind, b.body))
  from (
    values ('find_order', 404, '<html>order not found</html>'), ('find_order', 404, ''), ('find_order', 404, '"order not found"'),
           ('find_order', 404, '[{"code": 40410000, "message": "order not found for x"}]'),
           ('find_order', 404, '{"code": "40410000", "message": "order not found for x"}'),
           ('find_order', 404, '{"code": 40410000.5, "message": "order not found for x"}'),
           ('find_order', 404, '{"code": 99999999999999999999, "message": "order not found for x"}'),
           ('find_order', 404, '{"code": 40410000, "message": ["order not found for x"]}'),
           ('submit_order', 429, '<html>rate limit exceeded</html>'), ('submit_order', 429, ''),
           ('submit_order', 403, '<html>forbidden.</html>'), ('submit_order', 403, ''),
           ('submit_order', 422, '<html>client_order_id must be unique</html>'),
           ('submit_order', 422, '{"code": 42210000}'), ('submit_order', 504, '<html>'), ('submit_order', 204, '')
  ) as b(kind, status, body);
select is(pg_temp.meaning('submit_order', 401, '<html>401 Authorization Required</html>'), 'unauthorized',
          'rule 30: some paths say 401 in HTML');

-- Reads that succeeded, or only look so.
select is(pg_temp.meaning(s.kind, 200, s.body), s.meaning, format('200 for %s: %s', s.kind, s.title))
  from (
    values ('get_account', '{"id": "x"}', 'account_named', 'an account with an id'),
           ('get_account', '{"id": null}', 'in_doubt', 'an account without one is nobody'),
           ('list_orders', '[]', 'orders_listed', 'an empty list is a list'),
           ('list_orders', '{}', 'in_doubt', 'an object is no list'),
           ('list_orders', '[{"id": "x", "client_order_id": "y", "status": "new", "submitted_at": "2026-03-02T15:00:00Z"}]',
            'orders_listed', 'a list of orders is a list'),
           ('list_orders', '[{"id": "x", "client_order_id": "y", "status": "new", "submitted_at": "soon"}]',
            'in_doubt', 'an order submitted at no time makes it none'),
           ('list_orders', '[{"id": "x"}]', 'in_doubt', 'nor is one of anything else'),
           ('list_orders', '[{"id": "x", "client_order_id": "y", "status": "new", "submitted_at": "2026-03-02T15:00:00Z"}',
            'in_doubt', 'nor one cut off'),
           ('list_orders', 'null', 'in_doubt', 'null is no list')
  ) as s(kind, body, meaning, title);

-- A cancel that was taken says nothing; a page of a gateway says something.
select is(pg_temp.meaning('cancel_order', c.status, c.body), c.meaning, format('%s for cancel_order: %s', c.status, c.title))
  from (
    values (204, '', 'cancel_accepted', 'an empty body accepts it'), (204, null, 'cancel_accepted', 'so does none'),
           (200, '{"id": "x", "status": 200}', 'cancel_accepted', 'and JSON'),
           (200, '<html>We will be back soon</html>', 'in_doubt', 'a page proves nothing')
  ) as c(status, body, meaning, title);

-- How long what names an order and its status may be.
select results_eq(
  $$ select orderlatch_data.is_order(jsonb_build_object('client_order_id', 'mine', 'id', repeat('i', l.id), 'status', repeat('s', l.status)))
       from (values (128, 64), (129, 64), (128, 65)) as l(id, status) $$,
  $$ values (true), (false), (false) $$, 'an order has an id of up to 128 and a status of up to 64 characters'
);

select * from finish();
rollback;
