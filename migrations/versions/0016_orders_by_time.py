"""The index of orders by time serves no search for an id."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    # while the table is small every index that begins with the account looks as good as the one by id: a
    # session that planned then read all orders of the account with each answer
    op.execute(
        """
        drop index orderlatch_data.broker_orders_by_time;
        create index broker_orders_by_time on orderlatch_data.broker_orders (account_id, submitted_at)
          where submitted_at is not null;
        """
    )
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(
        """
        drop index orderlatch_data.broker_orders_by_time;
        create index broker_orders_by_time on orderlatch_data.broker_orders (account_id, submitted_at);
        """
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
