"""A request without a decision is guarded by the random end of its id."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Ids begin with their time now, which many share. The function comes along, as calls are granted meanwhile.
KEY = "('x' || {end}({request_id}::text, 8))::bit(32)::integer"
ALONE = "lock table orderlatch_data.open_requests in access exclusive mode"
FUNCTION = """
create or replace function orderlatch_data.request_lock_key(p_request_id uuid)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return {key};
end
$$;
revoke all on function orderlatch_data.request_lock_key(uuid) from public;
"""
CHANGE = "update orderlatch_data.open_requests set lock_key = {new} where lock_key = {old}"


def change(old: str, new: str) -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ALONE)
    op.execute(FUNCTION.format(key=KEY.format(end=new, request_id="p_request_id")))
    op.execute(
        CHANGE.format(
            old=KEY.format(end=old, request_id="request_id"), new=KEY.format(end=new, request_id="request_id")
        )
    )
    op.execute("reset role")


def upgrade() -> None:
    change("left", "right")


def downgrade() -> None:
    change("right", "left")
