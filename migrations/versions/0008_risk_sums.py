"""Risk: limits that add up, lists of symbols, opposite orders, order classes, and the history of limits."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SETTINGS = """
alter table orderlatch_data.accounts
  add column day_time_zone text not null default 'America/New_York';
comment on column orderlatch_data.accounts.day_time_zone is
  'name of the time zone whose calendar day the limits orders_a_day and notional_a_day count by';
"""

REASONS = """
delete from orderlatch_data.risk_reasons
 where reason in ('unsupported_order:trailing_stop', 'unsupported_order:order_class');
update orderlatch_data.risk_reasons
   set description = 'a stop, a trailing stop or an order of a class does not go with this time_in_force'
 where reason = 'invalid_order:time_in_force';
update orderlatch_data.risk_reasons
   set description = 'extended_hours goes with simple limit orders that are day or gtc, for whole shares'
 where reason = 'invalid_order:extended_hours';
update orderlatch_data.risk_reasons
   set description = 'a limit needs the price of this order, of another that it counts, or of what is held'
 where reason = 'missing_price';
insert into orderlatch_data.risk_reasons (reason, description) values
  ('price_distance', 'limit_price or stop_price is further from reference_price than the limit allows'),
  ('open_orders', 'with this order more are open, or on their way, than the limit allows'),
  ('orders_a_day', 'with this order more were approved today than the limit allows'),
  ('notional_a_day', 'with this order more dollars were approved today than the limit allows'),
  ('position_quantity',
   'the position could become larger than the limit allows, in shares, coins or contracts'),
  ('position_notional', 'the position could become worth more than the limit allows, in dollars'),
  ('gross_exposure', 'all positions together could become worth more than the limit allows, in dollars'),
  ('symbol_not_allowed', 'a list of allowed symbols does not name this one'),
  ('symbol_denied', 'a list of denied symbols names this one'),
  ('short_selling', 'the position could become shorter than the limit allows'),
  ('cool_down', 'the last order is not as long ago as the limit demands'),
  ('opposite_order:market_or_stop',
   'an order of the other side is open or on its way, and one of the two is a market or stop order'),
  ('opposite_order:prices_cross',
   'an order of the other side is open or on its way, and the two would trade with each other'),
  ('invalid_order:missing_trail', 'trailing_stop orders need trail_price or trail_percent'),
  ('invalid_order:trail_price_and_percent', 'trail_price and trail_percent together'),
  ('invalid_order:trailing_order_class', 'trailing_stop orders are simple orders'),
  ('invalid_order:fractional_order_type', 'a trailing stop takes whole shares, and no notional'),
  ('invalid_order:fractional_order_class', 'only simple orders take parts of a share, or notional'),
  ('invalid_order:fractional_short', 'parts of a share, or notional, cannot be sold short'),
  ('invalid_order:missing_take_profit', 'bracket and oco orders need take_profit.limit_price'),
  ('invalid_order:missing_stop_loss',
   'bracket and oco orders, and each stop_loss, need stop_loss.stop_price'),
  ('invalid_order:oto_exit', 'an oto order has one exit: take_profit or stop_loss'),
  ('invalid_order:oco_order_type', 'oco orders are limit orders'),
  ('invalid_order:exits_cross',
   'exits that sell take their profit above their stop, exits that buy below it'),
  ('invalid_order:sub_penny_take_profit', 'at most 2 decimals from one dollar on, 4 below'),
  ('invalid_order:sub_penny_stop_loss', 'at most 2 decimals from one dollar on, 4 below'),
  ('invalid_order:crypto_order_class', 'crypto orders are simple orders');
"""

LIMITS = """
alter table orderlatch_data.risk_limit_kinds
  add column takes text not null default 'ceiling',
  add column looks_at text not null default 'decision',
  add column across_symbols boolean not null default false,
  add column by_strategy boolean not null default false,
  add column counts text not null default 'the order alone',
  add constraint risk_limit_kinds_takes_is_known check (takes in ('ceiling', 'symbols', 'nothing')),
  add constraint risk_limit_kinds_looks_at_is_known
    check (looks_at in ('decision', 'orders', 'positions', 'day', 'opposite'));
alter table orderlatch_data.risk_limit_kinds
  alter column takes drop default,
  alter column looks_at drop default,
  alter column across_symbols drop default,
  alter column by_strategy drop default,
  alter column counts drop default;
comment on column orderlatch_data.risk_limit_kinds.takes is
  'ceiling: a number, for set_limit; symbols: a list, for set_symbols; nothing: set_limit with 0';
comment on column orderlatch_data.risk_limit_kinds.looks_at is
  'what has to be gathered to judge it: decision (nothing else), orders, positions (orders too), day, '
  'opposite';
comment on column orderlatch_data.risk_limit_kinds.across_symbols is
  'whether it adds up all symbols, unless the scope names one; else each symbol by itself';
comment on column orderlatch_data.risk_limit_kinds.by_strategy is
  'whether a strategy in the scope narrows what is added up; else only whose decisions are judged';
comment on column orderlatch_data.risk_limit_kinds.counts is
  'for people: what it adds up, always of one account';
insert into orderlatch_data.risk_limit_kinds
  (limit_kind, takes, unit, looks_at, across_symbols, by_strategy, counts, description) values
  ('price_distance', 'ceiling', 'fraction of the reference price', 'decision', false, false,
   'the order alone',
   'farthest that limit_price and stop_price may lie from reference_price: 0.05 is five percent'),
  ('allowed_symbols', 'symbols', 'symbols', 'decision', false, false, 'the order alone',
   'the only symbols to trade'),
  ('denied_symbols', 'symbols', 'symbols', 'decision', false, false, 'the order alone',
   'symbols not to trade'),
  ('open_orders', 'ceiling', 'orders', 'orders', true, true,
   'orders open at the broker or on their way; of the strategy and of the symbol, if the scope names one',
   'most orders open at one time'),
  ('orders_a_day', 'ceiling', 'orders', 'day', true, true,
   'orders approved today; of the strategy and of the symbol, if the scope names one',
   'most orders in a calendar day'),
  ('notional_a_day', 'ceiling', 'dollars', 'day', true, true,
   'the worth of orders approved today, less what ended without being filled; of the strategy and of the '
   'symbol, if the scope names one',
   'most dollars bought and sold in a calendar day'),
  ('position_quantity', 'ceiling', 'shares, coins or contracts', 'positions', false, true,
   'each symbol by itself, held and to be filled; of the strategy, if the scope names one',
   'largest position, long or short'),
  ('position_notional', 'ceiling', 'dollars', 'positions', false, true,
   'each symbol by itself, held and to be filled; of the strategy, if the scope names one',
   'largest worth of a position, long or short'),
  ('gross_exposure', 'ceiling', 'dollars', 'positions', true, true,
   'all symbols together, held and to be filled; of the strategy and of the symbol, if the scope names one',
   'largest worth of all positions, long and short added up'),
  ('short_selling', 'ceiling', 'shares, coins or contracts', 'positions', false, false,
   'each symbol by itself, held and to be sold; of the whole account, whatever strategy the scope names',
   'largest short position; 0 allows none'),
  ('cool_down', 'ceiling', 'seconds', 'day', true, true,
   'the last order approved; of the strategy and of the symbol, if the scope names one',
   'shortest time between two orders, at most 366 days'),
  ('opposite_order', 'nothing', 'none: 0', 'opposite', false, false,
   'orders open or on their way; of the whole account, whatever strategy the scope names',
   'no order that could trade with one of the other side, as the broker would refuse it');

alter table orderlatch_data.risk_limits
  alter column ceiling drop not null,
  add column symbols text[],
  add constraint risk_limits_has_ceiling_or_symbols check ((ceiling is null) <> (symbols is null)),
  add constraint risk_limits_names_symbols check (cardinality(symbols) between 1 and 10000);
comment on column orderlatch_data.risk_limits.ceiling is
  'the bound, in the unit of its kind; null: the limit is a list';
comment on column orderlatch_data.risk_limits.symbols is 'the list of a kind that takes symbols, in capitals';

create table orderlatch_data.risk_limit_changes (
  change_no bigint generated always as identity,
  limit_id integer not null,
  from_ceiling numeric,
  to_ceiling numeric,
  from_symbols text[],
  to_symbols text[],
  was_enabled boolean,
  is_enabled boolean not null,
  changed_at timestamptz not null,
  changed_by text not null,
  constraint risk_limit_changes_pkey primary key (limit_id, change_no),
  constraint risk_limit_changes_belongs_to_limit
    foreign key (limit_id) references orderlatch_data.risk_limits
);
comment on table orderlatch_data.risk_limit_changes is
  'Every version of every limit, written by a trigger of risk_limits. Append-only, for the owner too.';
comment on column orderlatch_data.risk_limit_changes.was_enabled is 'null: the limit was new';

insert into orderlatch_data.risk_limits (limit_kind, account_id, ceiling, set_at, set_by)
select 'opposite_order', a.account_id, 0, a.created_at, a.created_by
  from orderlatch_data.accounts as a
 order by a.account_id;
insert into orderlatch_data.risk_limit_changes (limit_id, to_ceiling, is_enabled, changed_at, changed_by)
select l.limit_id, l.ceiling, l.enabled, l.set_at, l.set_by
  from orderlatch_data.risk_limits as l
 order by l.limit_id;
"""

VERDICTS = """
alter table orderlatch_data.risk_verdicts add column account_id integer;
alter table orderlatch_data.risk_verdicts disable trigger user;
update orderlatch_data.risk_verdicts as v
   set account_id = d.account_id
  from orderlatch_data.trade_decisions as d
 where d.decision_id = v.decision_id;
alter table orderlatch_data.risk_verdicts enable trigger user;
alter table orderlatch_data.risk_verdicts alter column account_id set not null;
create index risk_verdicts_approved on orderlatch_data.risk_verdicts (account_id, judged_at)
  where verdict = 'approved';
comment on column orderlatch_data.risk_verdicts.account_id is
  'of the decision; limits of a day read the approvals of an account by their time';
comment on column orderlatch_data.risk_verdicts.inputs is
  'the values that the limits were compared with; sums: what each limit that adds up counted, without the '
  'decision and with it';
"""

STAKES = """
create type orderlatch_data.risk_stake as (
  strategy_id text,
  symbol text,
  held numeric,
  price numeric,
  orders integer,
  buy_qty numeric,
  buy_worth numeric,
  sell_qty numeric,
  sell_worth numeric,
  day_orders integer,
  day_worth numeric,
  last_order_at timestamptz,
  buy_at_any boolean,
  buy_limit numeric,
  sell_at_any boolean,
  sell_limit numeric
);
revoke all on type orderlatch_data.risk_stake from public;
comment on type orderlatch_data.risk_stake is
  'What a strategy (null: nobody''s decision) has at stake in a symbol (as positions have it): shares held, '
  'the newest price known, orders open or on their way, what they may still buy and sell in shares and in '
  'dollars, orders and dollars of the day, the last order; and for opposite orders whether some trade at any '
  'price, and the highest limit to buy and the lowest to sell. NaN: nobody knows.';

create type orderlatch_data.symbol_stakes as (symbol text, stakes orderlatch_data.risk_stake[]);
revoke all on type orderlatch_data.symbol_stakes from public;
comment on type orderlatch_data.symbol_stakes is
  'The stakes in one symbol, while decisions are judged one after the other.';

create index broker_orders_open_by_symbol on orderlatch_data.broker_orders (account_id, symbol, side)
  where is_open;
create index fills_newest_of_symbol on orderlatch_data.fills (account_id, symbol, filled_at);

alter table orderlatch_data.broker_positions
  add column current_price numeric,
  add column priced_at timestamptz;
comment on column orderlatch_data.broker_positions.current_price is
  'dollars, as the broker last listed it; exposure values what is held by it';
comment on column orderlatch_data.broker_positions.priced_at is 'when current_price was first listed so';

create table orderlatch_data.strategy_positions (
  account_id integer not null,
  strategy_id text not null,
  symbol text not null,
  qty numeric not null,
  constraint strategy_positions_pkey primary key (account_id, symbol, strategy_id),
  constraint strategy_positions_belongs_to_account
    foreign key (account_id) references orderlatch_data.accounts
) with (fillfactor = 70);
comment on table orderlatch_data.strategy_positions is
  'What the fills of the orders of each strategy add up to, kept by a trigger of broker_orders. Foreign '
  'orders and adjustments belong to no strategy: they are in position_sums only.';
comment on column orderlatch_data.strategy_positions.symbol is
  'as positions have it: pairs without their slash';
comment on column orderlatch_data.strategy_positions.qty is 'shares, coins or contracts; negative: short';
insert into orderlatch_data.strategy_positions (account_id, strategy_id, symbol, qty)
select b.account_id, d.strategy_id, replace(b.symbol, '/', ''),
       sum(case b.side when 'sell' then -b.fills_qty else b.fills_qty end)
  from orderlatch_data.broker_orders as b
  join orderlatch_data.trade_decisions as d on d.decision_id = b.decision_id
 where b.fills_qty <> 0
 group by b.account_id, d.strategy_id, replace(b.symbol, '/', '');
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (SETTINGS, REASONS, LIMITS, VERDICTS, STAKES):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          raise exception 'downgrade refused: the history of limits has no place in the tables before it'
            using hint = 'restore a backup from before the upgrade';
        end
        $refuse$
        """
    )
