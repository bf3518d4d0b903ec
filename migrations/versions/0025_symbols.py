"""Reasons for symbols that the broker shows orders without, and for options; extended hours take parts."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UPGRADE = """
insert into orderlatch_data.risk_reasons (reason, description) values
  ('invalid_order:pair_without_slash', 'a crypto pair is spelled with its slash, as BTC/USD'),
  ('invalid_order:asset_id', 'the symbol is the id of an asset: limits and halts know symbols only'),
  ('unsupported_order:quote_currency', 'the price of a pair is in dollars: it ends in USD, USDT or USDC'),
  ('unsupported_order:option', 'this version of Orderlatch trades shares and crypto pairs, no options');
update orderlatch_data.risk_reasons
   set description = 'extended_hours goes with simple limit orders that are day or gtc'
 where reason = 'invalid_order:extended_hours'
"""

DOWNGRADE = """
delete from orderlatch_data.risk_reasons
 where reason in (
   'invalid_order:pair_without_slash', 'invalid_order:asset_id', 'unsupported_order:quote_currency',
   'unsupported_order:option'
 );
update orderlatch_data.risk_reasons
   set description = 'extended_hours goes with simple limit orders that are day or gtc, for whole shares'
 where reason = 'invalid_order:extended_hours'
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
