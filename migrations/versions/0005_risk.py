"""Risk: the limits, the reasons they give, and the verdicts."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RISK = """
create table orderlatch_data.risk_reasons (
  reason text not null,
  description text not null,
  constraint risk_reasons_pkey primary key (reason)
);
comment on table orderlatch_data.risk_reasons is
  'Every reason code that a verdict can give. Stable: programs may rely on them.';
insert into orderlatch_data.risk_reasons (reason, description) values
  ('signal_already_decided',
   'the signal has a live decision with another intent; a second order for it needs a leg'),
  ('missing_price',
   'a limit needs a price, and the decision has neither one of its own nor a reference_price'),
  ('order_quantity', 'the order is for more than the limit allows, in shares, coins or contracts'),
  ('order_notional', 'the order is worth more than the limit allows, in dollars'),
  ('signal_age', 'the market event is longer ago than the limit allows'),
  ('external_engine', 'the external risk engine said no; its evidence is in the verdict'),
  ('invalid_order:qty_and_notional', 'qty and notional together'),
  ('invalid_order:no_size', 'neither qty nor notional'),
  ('invalid_order:missing_limit_price', 'limit and stop_limit orders need limit_price'),
  ('invalid_order:unexpected_limit_price', 'market and stop orders take no limit_price'),
  ('invalid_order:missing_stop_price', 'stop and stop_limit orders need stop_price'),
  ('invalid_order:unexpected_stop_price', 'market and limit orders take no stop_price'),
  ('invalid_order:unexpected_trail', 'only trailing_stop orders take trail_price or trail_percent'),
  ('invalid_order:sub_penny_limit_price', 'at most 2 decimals from one dollar on, 4 below'),
  ('invalid_order:sub_penny_stop_price', 'at most 2 decimals from one dollar on, 4 below'),
  ('invalid_order:qty_decimals', 'qty has at most 9 decimals'),
  ('invalid_order:notional_decimals', 'notional has at most 2 decimals'),
  ('invalid_order:notional_below_minimum', 'notional is at least 1 dollar, 10 for crypto'),
  ('invalid_order:fractional_time_in_force', 'orders for parts of a share, or by notional, are day orders'),
  ('invalid_order:time_in_force', 'the order type does not go with this time_in_force'),
  ('invalid_order:extended_hours',
   'extended_hours goes with limit orders that are day or gtc, for whole shares'),
  ('invalid_order:crypto_time_in_force', 'crypto orders are gtc or ioc'),
  ('invalid_order:crypto_order_type', 'crypto orders are market, limit or stop_limit'),
  ('invalid_order:unexpected_exit', 'take_profit and stop_loss need an order_class'),
  ('invalid_order:position_intent', 'position_intent says the other side than action'),
  ('unsupported_order:trailing_stop', 'this version of Orderlatch does not send trailing stops'),
  ('unsupported_order:order_class', 'this version of Orderlatch sends simple orders only');

create table orderlatch_data.risk_limit_kinds (
  limit_kind text not null,
  unit text not null,
  description text not null,
  constraint risk_limit_kinds_pkey primary key (limit_kind)
);
comment on table orderlatch_data.risk_limit_kinds is 'The limits that exist; limit_breach judges each.';
insert into orderlatch_data.risk_limit_kinds (limit_kind, unit, description) values
  ('order_quantity', 'shares, coins or contracts', 'largest quantity of one order'),
  ('order_notional', 'dollars',
   'largest worth of one order, at the highest price it can pay or the reference_price'),
  ('signal_age', 'seconds', 'longest time from event_ts to the verdict');

create table orderlatch_data.risk_limits (
  limit_id integer generated always as identity,
  limit_kind text not null,
  account_id integer,
  strategy_id text,
  symbol text,
  ceiling numeric not null,
  enabled boolean not null default true,
  set_at timestamptz not null,
  set_by text not null,
  constraint risk_limits_pkey primary key (limit_id),
  constraint risk_limits_kind_exists foreign key (limit_kind) references orderlatch_data.risk_limit_kinds,
  constraint risk_limits_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint risk_limits_ceiling_is_number check (ceiling >= 0 and ceiling < 'infinity')
);
create unique index risk_limits_one_per_scope on orderlatch_data.risk_limits
  (limit_kind, coalesce(account_id, 0), coalesce(strategy_id, ''), coalesce(symbol, ''));
comment on table orderlatch_data.risk_limits is
  'Limits in force. Every enabled one whose scope fits applies; null in a scope fits any.';
comment on column orderlatch_data.risk_limits.ceiling is 'highest value allowed, in the unit of its kind';

create table orderlatch_data.risk_verdicts (
  decision_id bigint not null,
  verdict_no smallint not null,
  verdict text not null,
  reasons text[] not null,
  limits jsonb not null,
  inputs jsonb not null,
  evidence jsonb,
  judged_at timestamptz not null,
  judged_by text not null,
  constraint risk_verdicts_pkey primary key (decision_id, verdict_no),
  constraint risk_verdicts_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint risk_verdicts_verdict_is_known check (verdict in ('approved', 'rejected')),
  constraint risk_verdicts_rejection_has_reasons check ((verdict = 'rejected') = (cardinality(reasons) > 0))
);
comment on table orderlatch_data.risk_verdicts is
  'Each verdict, with the limits and the inputs as they were when it was given.';
comment on column orderlatch_data.risk_verdicts.limits is
  'the limits that applied: kind, ceiling and limit_id of each';
comment on column orderlatch_data.risk_verdicts.inputs is 'the values that the limits were compared with';
comment on column orderlatch_data.risk_verdicts.evidence is 'what an external engine gave with its verdict';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(RISK)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          if exists (select 1 from orderlatch_data.risk_verdicts) then
            raise exception 'downgrade refused: verdicts are recorded and would be destroyed'
              using hint = 'back the database up and drop it by hand, if that is what you want';
          end if;
        end
        $refuse$
        """
    )
    op.execute(
        "drop table orderlatch_data.risk_verdicts, orderlatch_data.risk_limits,"
        " orderlatch_data.risk_limit_kinds, orderlatch_data.risk_reasons cascade"
    )
    op.execute("delete from orderlatch_data.sql_files")
