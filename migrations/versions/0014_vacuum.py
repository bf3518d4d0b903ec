"""When autovacuum comes to which table: queues by what has died in them, records by what was added."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A few living rows, and every life leaves dead ones. A share of so few rows is no threshold: it is a number;
# and nobody waits for the exclusive lock that giving back the last pages takes.
QUEUES = (
    "account_agenda",
    "account_budgets",
    "account_states",
    "account_wakes",
    "answers_at_hand",
    "broker_limits",
    "broker_reads",
    "doubts",
    "open_decisions",
    "open_requests",
    "order_cancels",
    "order_checks",
    "position_sums",
    "read_wishes",
    "strategy_positions",
)
QUEUE = {
    "autovacuum_vacuum_scale_factor": "0",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_scale_factor": "0",
    "autovacuum_analyze_threshold": "10000",
    "vacuum_truncate": "false",
}
# Written once and kept: visited after a twentieth of growth, instead of a fifth, and frozen at that visit, so
# that no page is written again years later.
RECORDS = (
    "broker_requests",
    "broker_responses",
    "decision_events",
    "decision_outcomes",
    "fills",
    "live_signals",
    "lost_requests",
    "risk_verdicts",
    "trade_decisions",
)
RECORD = {
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_freeze_min_age": "0",
}
# Kept, and changed a few times soon after.
CHANGING = ("broker_orders",)
CHANGES = {"autovacuum_vacuum_scale_factor": "0.05", "autovacuum_analyze_scale_factor": "0.05"}
ALL = ((QUEUES, QUEUE), (RECORDS, RECORD), (CHANGING, CHANGES))


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for tables, settings in ALL:
        stated = ", ".join(f"{name} = {value}" for name, value in settings.items())
        for table in tables:
            op.execute(f"alter table orderlatch_data.{table} set ({stated})")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for tables, settings in ALL:
        for table in tables:
            op.execute(f"alter table orderlatch_data.{table} reset ({', '.join(settings)})")
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
