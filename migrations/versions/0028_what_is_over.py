"""What is over is passed over: cancels are found by their end, positions by whether there is one."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# is_held changes only where a position begins or ends: other trades rewrite the row in its page, as before.
UPGRADE = """
create index order_cancels_by_end on orderlatch_data.order_cancels (account_id, ended_at)
  where ended_at is not null;
alter table orderlatch_data.position_sums
  add column is_held boolean not null generated always as (qty <> 0) stored;
create index position_sums_held on orderlatch_data.position_sums (account_id, symbol) where is_held;
comment on column orderlatch_data.position_sums.is_held is 'whether anything is left of it';
alter table orderlatch_data.strategy_positions
  add column is_held boolean not null generated always as (qty <> 0) stored;
create index strategy_positions_held on orderlatch_data.strategy_positions (account_id, symbol, strategy_id)
  where is_held;
comment on column orderlatch_data.strategy_positions.is_held is 'whether anything is left of it';
"""

DOWNGRADE = """
drop index orderlatch_data.strategy_positions_held;
alter table orderlatch_data.strategy_positions drop column is_held cascade;
drop index orderlatch_data.position_sums_held;
alter table orderlatch_data.position_sums drop column is_held cascade;
drop index orderlatch_data.order_cancels_by_end;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("delete from orderlatch_data.sql_files")  # views went with the columns
    op.execute("reset role")
