"""The key of a live signal begins with the second of the signal: its index grows at one end."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# 5 bytes of seconds since year 1, and as much of the hash as fits behind them.
UPGRADE = """
update orderlatch_data.live_signals as g
   set signal_key = (
         lpad(to_hex(floor(extract(epoch from d.event_ts))::bigint + 62135596800), 10, '0')
         || left(replace(g.signal_key::text, '-', ''), 22)
       )::uuid
  from orderlatch_data.trade_decisions as d
 where d.decision_id = g.decision_id;
comment on column orderlatch_data.live_signals.signal_key is
  'the second of the signal''s event_ts, counted from year 1, in 5 bytes; and the first 11 bytes of a sha256 '
  'over account, strategy_id, symbol, timeframe, event_ts and leg';
"""

# The hash anew, as its end was not kept.
DOWNGRADE = """
update orderlatch_data.live_signals as g
   set signal_key = encode(substr(sha256(convert_to(
         concat(
           '[', d.account_id, ',', to_json(d.strategy_id), ',', to_json(d.symbol), ',',
           to_json(d.timeframe), ',"',
           to_char(d.event_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '",', to_json(d.leg), ']'
         ),
         'UTF8')), 1, 16), 'hex')::uuid
  from orderlatch_data.trade_decisions as d
 where d.decision_id = g.decision_id;
comment on column orderlatch_data.live_signals.signal_key is
  'first 16 bytes of a sha256 over account, strategy_id, symbol, timeframe, event_ts and leg';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
