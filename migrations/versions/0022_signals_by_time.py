"""The key of a live signal begins with the second of the signal: its index grows at one end."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Strategies propose and answers come in meanwhile. Each reads accounts or decisions before it makes a key:
# who has made one already is waited for, who has not makes the new one.
ALONE = """
lock table orderlatch_data.accounts, orderlatch_data.trade_decisions, orderlatch_data.live_signals
  in access exclusive mode
"""
FUNCTION = """
create or replace function orderlatch_data.signal_key(
  p_account_id integer,
  p_strategy_id text,
  p_symbol text,
  p_timeframe text,
  p_event_ts timestamptz,
  p_leg text
)
returns uuid
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return {key};
end
$$;
revoke all on function orderlatch_data.signal_key(integer, text, text, text, timestamptz, text) from public;
"""
HASH = """
encode(substr(sha256(convert_to(
  concat(
    '[', p_account_id, ',', to_json(p_strategy_id), ',', to_json(p_symbol), ',', to_json(p_timeframe), ',"',
    to_char(p_event_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '",', to_json(p_leg), ']'
  ),
  'UTF8')), 1, {octets}), 'hex')
"""
# 5 bytes of seconds since year 1, and as much of the hash as fits behind them.
SECOND = "lpad(to_hex(floor(extract(epoch from p_event_ts))::bigint + 62135596800), 10, '0')"
NEW = f"({SECOND} || {HASH.format(octets=11)})::uuid"
OLD = f"({HASH.format(octets=16)})::uuid"
REWRITE = """
update orderlatch_data.live_signals as g
   set signal_key = orderlatch_data.signal_key(
         d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
       )
  from orderlatch_data.trade_decisions as d
 where d.decision_id = g.decision_id
"""
COMMENT = "comment on column orderlatch_data.live_signals.signal_key is '{}'"


def rewrite(key: str, comment: str) -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ALONE)
    op.execute(FUNCTION.format(key=key))
    op.execute(REWRITE)
    op.execute(COMMENT.format(comment))
    op.execute("reset role")


def upgrade() -> None:
    rewrite(
        NEW,
        "the second of the signal''s event_ts, counted from year 1, in 5 bytes; and the first 11 bytes of a "
        "sha256 over account, strategy_id, symbol, timeframe, event_ts and leg",
    )


def downgrade() -> None:
    rewrite(
        OLD,
        "first 16 bytes of a sha256 over account, strategy_id, symbol, timeframe, event_ts and leg",
    )
