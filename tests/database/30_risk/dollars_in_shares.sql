-- A sum of shares counts a decision over dollars as what they buy at the lowest price that is known.
begin;
select plan(5);

select test.given_account();
select orderlatch.set_limit('position_quantity', 10, 'paper');
select is(p.reasons, d.reasons, d.title)
  from (
    values
      ('{"notional": "1902.50", "reference_price": "190.25"}', '{}'::text[], 'dollars for as many shares as the limit lets through'),
      ('{"notional": "1902.51", "reference_price": "190.25"}', '{position_quantity}', 'a cent more buys a part of a share too many'),
      ('{"notional": "1902.51", "reference_price": "190.25", "order_type": "limit", "limit_price": "200"}', '{position_quantity}',
       'also where the limit price is above the reference'),
      ('{"notional": "1900.01", "reference_price": "190.25", "order_type": "limit", "limit_price": "190"}', '{position_quantity}',
       'and more shares where it is below'),
      ('{"notional": "100", "reference_price": null}', '{missing_price}', 'without a reference nobody knows how many')
  ) as d(members, reasons, title)
 cross join lateral orderlatch.preview_decision(
         'paper', test.a_decision('{"qty": null, "order_type": "market", "limit_price": null}'::jsonb || d.members::jsonb)
       ) as p;

select * from finish();
rollback;
