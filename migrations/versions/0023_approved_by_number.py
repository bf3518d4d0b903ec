"""The index of approvals has the approved only, so that nothing is planned to read the rest through it."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# decisions_on_their_way names a symbol and, in a comparison of rows, a number: for the planner nothing that
# this index could serve. Before, where few lived, it seemed as good as the index by symbols, and read all
# that was dead in the account.
UPGRADE = """
drop index orderlatch_data.open_decisions_by_approval;
create index open_decisions_by_approval on orderlatch_data.open_decisions (account_id, approval_no)
  where approval_no is not null;
"""

DOWNGRADE = """
drop index orderlatch_data.open_decisions_by_approval;
create index open_decisions_by_approval on orderlatch_data.open_decisions (account_id, approval_no);
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
