"""Rows that change with every life are found by an index that is not unique."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Whoever adds an entry to a unique index looks at all others of its key, and at the rows behind them, to see
# that none of them lives. Beside a long transaction those are all versions that the row has had.
TABLES = ("account_agenda", "account_budgets", "broker_limits")


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for table in TABLES:
        op.execute(
            f"""
            alter table orderlatch_data.{table} drop constraint {table}_pkey;
            create index {table}_of_account on orderlatch_data.{table} (account_id);
            """
        )
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for table in TABLES:
        op.execute(
            f"""
            drop trigger one_row on orderlatch_data.{table};
            drop trigger same_account on orderlatch_data.{table};
            drop index orderlatch_data.{table}_of_account;
            alter table orderlatch_data.{table} add constraint {table}_pkey primary key (account_id);
            """
        )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
