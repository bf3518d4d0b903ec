"""Two indexes that others had made needless were paid for with every fill and every open order."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    # fills_by_time and broker_orders_open_by_symbol answer what these did
    op.execute("drop index orderlatch_data.fills_newest_of_symbol, orderlatch_data.broker_orders_open")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(
        """
        create index fills_newest_of_symbol on orderlatch_data.fills (account_id, symbol, filled_at);
        create index broker_orders_open on orderlatch_data.broker_orders (account_id) where is_open;
        """
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
