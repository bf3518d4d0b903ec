"""A request without a decision is guarded by the random end of its id."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As request_lock_key makes it: ids begin with their time now, which many share.
KEY = "('x' || {end}(request_id::text, 8))::bit(32)::integer"
CHANGE = "update orderlatch_data.open_requests set lock_key = {new} where lock_key = {old}"


def change(old: str, new: str) -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(CHANGE.format(old=KEY.format(end=old), new=KEY.format(end=new)))
    op.execute("reset role")


def upgrade() -> None:
    change("left", "right")


def downgrade() -> None:
    change("right", "left")
