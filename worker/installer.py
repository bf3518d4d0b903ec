"""Installing and upgrading: tables by alembic revisions, then sql/ as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import scalar_row
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from worker.applier import SETTINGS, File, FileError, InstallError, apply, differences, read_files
from worker.cli import database_url

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent

# So many times in a row the same work would have to be in the way.
DEADLOCKS = 10

# Keys of the session advisory lock that makes a second `migrate` wait for the first: "latch" in ASCII. Two,
# because the owner may take a lock of one key for a transaction only.
MIGRATING = (int.from_bytes(b"latc"), int.from_bytes(b"h"))


def migrate(url: str, files: list[File], say: Callable[[str], object] = click.echo) -> None:
    """Bring a database up to this checkout; a second caller waits for the first and finds nothing to do."""
    with connect(url) as connection:
        require_direct(connection)
        connection.execute("set lock_timeout = '10min'")
        connection.execute("select pg_advisory_lock(%s, %s)", MIGRATING)
        before, head = installed_revision(connection), revisions()[0]
        if before != head:
            beside_work(lambda: upgrade(url, before))
            say(f"migrate: revision {before or 'none'} -> {head}")
        if not differences(connection, files):
            say(f"migrate: nothing to do (revision {head}, {len(files)} files)")
            return
        apply_beside_work(connection, files)
        say(f"migrate: applied {len(files)} files")


def connect(url: str, *, autocommit: bool = True) -> psycopg.Connection:
    """Open a session of which nothing is ended for taking long, whatever the database or the role has set."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("set statement_timeout = 0")
    # the one that holds the lock is idle while revisions run on another
    connection.execute("set idle_session_timeout = 0")
    if connection.info.server_version >= 170000:
        connection.execute("set transaction_timeout = 0")
    connection.autocommit = autocommit
    return connection


def require_direct(connection: psycopg.Connection) -> None:
    """Refuse a pooler, which announces a process of its own and keeps a session, and its locks, for hours."""
    if connection.execute("select pg_backend_pid()").fetchone() != (connection.info.backend_pid,):
        raise InstallError(
            "DATABASE_URL: a connection pooler is in between, and migrate needs a session of its own: the "
            "pooler would keep its lock. Give it the address of Postgres itself."
        )


def apply_beside_work(connection: psycopg.Connection, files: list[File], *, anew: bool = False) -> None:
    """Apply the files while workers and strategies work; what cannot be replaced is made anew."""
    try:
        beside_work(lambda: apply(connection, files, anew=anew))
    except FileError as error:
        if anew or not error.cannot_replace:
            raise
        beside_work(lambda: apply(connection, files, anew=True))


def beside_work(step: Callable[[], None]) -> None:
    """Take a step of an upgrade, all of it or nothing, while workers and strategies work.

    It locks tables in another order than work does. What Postgres ends as a deadlock has changed nothing and
    is tried again; work that was ended instead is repeated by whoever does it.
    """
    for tries_left in reversed(range(DEADLOCKS)):
        try:
            step()
        except InstallError as error:
            if not tries_left or not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                raise
        else:
            return


def revisions() -> list[str]:
    """Every revision of this checkout, newest first."""
    script = ScriptDirectory.from_config(alembic_config())
    return [revision.revision for revision in script.walk_revisions()]


def installed_revision(connection: psycopg.Connection) -> str | None:
    """The revision of a database, or none; a revision that this checkout does not know is an error."""
    cursor = connection.cursor(row_factory=scalar_row)
    if cursor.execute("select to_regclass('orderlatch_data.alembic_version') is null").fetchone():
        return None
    revision = cursor.execute("select v.version_num from orderlatch_data.alembic_version as v").fetchone()
    if revision is not None and revision not in revisions():
        raise InstallError(
            f"the database is at revision {revision}, which this checkout does not know (it ends at "
            f"{revisions()[0]}): it was migrated by a newer one, so use that or a later one"
        )
    return revision


def upgrade(url: str, before: str | None) -> None:
    """Run the revisions that the database lacks, all in one transaction."""
    try:
        with engine(url).begin() as connection:
            # what commits while a revision waits for its locks has to be seen
            connection.execute(text("set transaction isolation level read committed"))
            for setting, value in SETTINGS.items():
                connection.execute(text(f"set local {setting} = '{value}'"))
            if before is None:
                connection.execute(text("create schema if not exists orderlatch_data"))
            command.upgrade(alembic_config(connection), "head")
            # Whoever migrates next may be another member of the owner.
            connection.execute(text("alter table orderlatch_data.alembic_version owner to orderlatch_owner"))
    except DBAPIError as error:
        raise InstallError(f"a revision failed: {error.orig}") from error.orig


def alembic_config(connection: Connection | None = None) -> Config:
    """What alembic is to know of this checkout, and the connection that revisions run on."""
    return Config(toml_file=ROOT / "pyproject.toml", attributes={"connection": connection})


def engine(url: str) -> Engine:
    """SQLAlchemy's view of a database, for alembic alone; psycopg reads the URL, as everywhere else."""
    return create_engine(
        "postgresql+psycopg://", creator=lambda: connect(url, autocommit=False), poolclass=NullPool
    )


def check(url: str, files: list[File]) -> list[str]:
    """How a database differs from this checkout: one line for each difference, none when they are equal."""
    with connect(url) as connection:
        installed, head = installed_revision(connection), revisions()[0]
        if installed != head:
            return [f"revision: the database has {installed or 'none'}, the checkout {head}"]
        return differences(connection, files)


@click.command("migrate")
def migrate_command() -> None:
    """Bring the database up to this checkout: tables first, then sql/ when anything in it differs."""
    migrate(database_url(), read_files(ROOT / "sql"))


@click.command("check")
def check_command() -> None:
    """Say whether what is installed equals this checkout; if not, name each difference, exit status 1."""
    files = read_files(ROOT / "sql")
    if different := check(database_url(), files):
        click.echo("\n".join(different))
        sys.exit(1)
    click.echo(f"check: equal (revision {revisions()[0]}, {len(files)} files)")
