"""Commits notify who follows events only while somebody does: two more kinds of advisory locks."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Nobody but the owner takes advisory locks: a superuser took them from the public (revision 0001).
GRANT = """
do $following$
begin
  if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
    grant execute on function
      pg_advisory_lock_shared(integer, integer), pg_try_advisory_lock(integer, integer)
      to orderlatch_owner;
  elsif not has_function_privilege(
    'orderlatch_owner', 'pg_try_advisory_lock(integer, integer)', 'execute'
  ) then
    raise exception 'upgrade refused: orderlatch_owner may not execute pg_try_advisory_lock'
      using hint = 'A superuser has installed this database; let a superuser upgrade it.';
  end if;
end
$following$;
"""


def upgrade() -> None:
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(
        """
        do $following$
        begin
          if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
            revoke execute on function
              pg_advisory_lock_shared(integer, integer), pg_try_advisory_lock(integer, integer)
              from orderlatch_owner;
          end if;
        end
        $following$
        """
    )
    op.execute("set local role orderlatch_owner")
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
