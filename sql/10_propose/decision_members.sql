-- The members that a decision may have, with their rules: read by people, and by find_member_problems.
create or replace view orderlatch.decision_members as
select m.parent, m.name, m.kind, m.types, m.required, m.shortest, m.longest, m.choices, m.rule
  from (values
  ('', 'account', 'text', '{string}'::text[], false, 1, 64, null::text[],
   'the account that the decision is delivered for, or left out'),
  ('', 'action', 'choice', '{string}', true, null, null, '{buy,sell}',
   'buy or sell'),
  ('', 'decision_hash', 'hash', '{string}', false, null, null, null,
   'the hash of this decision, 64 lower-case hex digits, or left out'),
  ('', 'event_ts', 'time', '{string}', true, null, null, null,
   'an ISO 8601 time with Z or a numeric offset, to the microsecond, such as 2004-12-20T20:00:00Z'),
  ('', 'extended_hours', 'flag', '{boolean}', false, null, null, null,
   'JSON true or false'),
  ('', 'leg', 'text', '{string}', false, 0, 64, null,
   'a text of at most 64 characters without control characters'),
  ('', 'limit_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'metadata', 'object', '{object}', false, null, null, null,
   'an object of at most 16384 bytes, 32 levels and 64 digits a number'),
  ('', 'notional', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'order_class', 'choice', '{string}', false, null, null, '{"",simple,bracket,oco,oto}',
   'simple, bracket, oco or oto'),
  ('', 'order_type', 'choice', '{string}', false, null, null, '{market,limit,stop,stop_limit,trailing_stop}',
   'market, limit, stop, stop_limit or trailing_stop'),
  ('', 'params', 'object', '{object}', false, null, null, null,
   'an object of at most 16384 bytes, 32 levels and 64 digits a number'),
  ('', 'position_intent', 'choice', '{string}', false, null, null,
   '{buy_to_open,buy_to_close,sell_to_open,sell_to_close}',
   'buy_to_open, buy_to_close, sell_to_open or sell_to_close'),
  ('', 'qty', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'rationale', 'prose', '{string}', false, null, 8192, null,
   'a text of at most 8192 bytes'),
  ('', 'reference_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'stop_loss', 'object', '{object}', false, null, null, null,
   'an object with stop_price and limit_price'),
  ('', 'stop_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'strategy_id', 'text', '{string}', true, 1, 128, null,
   'a text of 1 to 128 characters without control characters'),
  ('', 'symbol', 'text', '{string}', true, 1, 64, null,
   'a text of 1 to 64 characters without control characters'),
  ('', 'take_profit', 'object', '{object}', false, null, null, null,
   'an object with limit_price'),
  ('', 'time_in_force', 'choice', '{string}', false, null, null, '{day,gtc,opg,cls,ioc,fok}',
   'day, gtc, opg, cls, ioc or fok'),
  ('', 'timeframe', 'text', '{string}', true, 1, 32, null,
   'a text of 1 to 32 characters without control characters'),
  ('', 'trail_percent', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'trail_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('', 'v', 'version', '{number}', false, null, null, null,
   'the number 1 or left out'),
  ('', 'valid_until', 'time', '{string}', false, null, null, null,
   'an ISO 8601 time with Z or a numeric offset, to the microsecond, such as 2004-12-20T20:00:00Z'),
  ('stop_loss', 'limit_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('stop_loss', 'stop_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits'),
  ('take_profit', 'limit_price', 'decimal', '{number,string}', false, null, null, null,
   'a decimal above zero of at most 64 digits')
) as m(parent, name, kind, types, required, shortest, longest, choices, rule);
revoke all on orderlatch.decision_members from public;
grant select on orderlatch.decision_members to
  orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.decision_members is
  'The members that a decision may have, with the rule for each. A member that is not here is refused.';
comment on column orderlatch.decision_members.parent is
  'the member that holds this one; empty for members of the decision itself';
comment on column orderlatch.decision_members.kind is
  'how the value is judged: text, choice, decimal, time, flag, object, prose, version or hash';
comment on column orderlatch.decision_members.types is
  'JSON types that are accepted';
comment on column orderlatch.decision_members.required is
  'whether absent or null is refused';
comment on column orderlatch.decision_members.shortest is
  'characters, after trimming';
comment on column orderlatch.decision_members.longest is
  'characters, after trimming; bytes for prose';
comment on column orderlatch.decision_members.choices is
  'values that are accepted, in lower case; ASCII case does not matter';
comment on column orderlatch.decision_members.rule is
  'the rule in words, as error messages give it';

-- The rules of decision_members as one value, to look a member up in.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.member_rules()
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- immutable, so that a plan holds the value: the rows would be made anew at each call
  return (
    select jsonb_object_agg(p.parent, p.rules)
      from (
        select m.parent, jsonb_object_agg(m.name, to_jsonb(m)) as rules
          from orderlatch.decision_members as m
         group by m.parent
      ) as p
  );
end
$$;
revoke all on function orderlatch_data.member_rules() from public;
comment on function orderlatch_data.member_rules() is
  'An object with a member for each parent, which has a member for each name: the row of decision_members.';

-- The members that every decision must have.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.required_members()
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select jsonb_object_agg(m.name, null::text)
      from orderlatch.decision_members as m
     where m.parent = '' and m.required
  );
end
$$;
revoke all on function orderlatch_data.required_members() from public;
comment on function orderlatch_data.required_members() is
  'An object with a null for each required member of a decision itself. Immutable as member_rules is.';
