"""Open decisions name their strategy, so that a claim passes over those of a halted one without a lookup."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Nullable: until the functions are applied, those of before go on to record decisions without it.
UPGRADE = """
alter table orderlatch_data.open_decisions add column strategy_id text;
comment on column orderlatch_data.open_decisions.strategy_id is
  'of the decision; null where it was recorded before revision 0030: then trade_decisions has it';
"""

DOWNGRADE = "alter table orderlatch_data.open_decisions drop column strategy_id cascade"


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("delete from orderlatch_data.sql_files")  # the trigger went with the column
    op.execute("reset role")
