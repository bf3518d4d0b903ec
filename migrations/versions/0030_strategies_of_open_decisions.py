"""Open decisions name their strategy, so that a claim passes over those of a halted one without a lookup."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# They are few, as each row goes when its decision has settled.
UPGRADE = """
alter table orderlatch_data.open_decisions add column strategy_id text;
update orderlatch_data.open_decisions as o
   set strategy_id = t.strategy_id
  from orderlatch_data.trade_decisions as t
 where t.decision_id = o.decision_id;
alter table orderlatch_data.open_decisions alter column strategy_id set not null;
comment on column orderlatch_data.open_decisions.strategy_id is 'of the decision';
"""

DOWNGRADE = "alter table orderlatch_data.open_decisions drop column strategy_id cascade"


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute("alter table orderlatch_data.open_decisions disable trigger user")
    op.execute(UPGRADE)
    op.execute("alter table orderlatch_data.open_decisions enable trigger user")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
