"""Alembic's environment: tables and data only. `orderlatch migrate` hands in its transaction."""

from alembic import context
from sqlalchemy import Connection

from worker.cli import database_url
from worker.installer import engine


def run(connection: Connection) -> None:
    """Run what the command line asked for; the version table lives beside the tables it is about."""
    context.configure(connection=connection, version_table_schema="orderlatch_data")
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("revisions look at the database they change: there is no offline mode")

given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    run(given)
else:
    with engine(database_url()).connect() as own:
        run(own)
