"""Orders are found by the order that they belong to, of whatever account."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# While a table is known to be empty, the planner prefers the index with the fewest columns to compare; that
# one finds all orders of the account. Asked for the parent alone, there is only one index to choose.
ORDER = """
drop index orderlatch_data.broker_orders_by_parent;
create index broker_orders_by_parent on orderlatch_data.broker_orders ({columns})
  where parent_broker_order_id is not null;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ORDER.format(columns="parent_broker_order_id"))
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ORDER.format(columns="account_id, parent_broker_order_id"))
    op.execute("reset role")
