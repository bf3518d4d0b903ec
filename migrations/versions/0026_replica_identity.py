"""Rows without a primary key can be published: a subscriber finds them by all that they say."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# Since revision 0018 these have no unique index. As soon as a publication has them, as one of all tables
# does, Postgres refuses every change of them, and with that every claim and every answer. Where wal_level is
# not logical nothing more is written.
TABLES = ("account_agenda", "account_budgets", "broker_limits")


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for table in TABLES:
        op.execute(f"alter table orderlatch_data.{table} replica identity full")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for table in TABLES:
        op.execute(f"alter table orderlatch_data.{table} replica identity default")
    op.execute("reset role")
