"""The command `orderlatch archive`: steps of `archive_before` until nothing is left."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import psycopg

from worker import OrderlatchError
from worker.cli import database_url

if TYPE_CHECKING:
    from collections.abc import Iterator

_ARCHIVE_BEFORE = b"""
select step.archived, step.through_at, step.more
  from orderlatch.archive_before(
         p_before => %(before)s::timestamptz,
         p_reason => %(reason)s::text,
         p_account => %(account)s::text,
         p_calls => %(calls)s::integer
       ) as step
"""


@click.command("archive")
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Move what had ended before this day began, in UTC; at least 7 days ago.",
)
@click.option("--reason", required=True, help="Why; it is recorded with your name.")
@click.option("--account", help="Only this account; else all, for members of orderlatch_owner.")
@click.option("--calls", default=1000, show_default=True, help="Calls a step, up to 10000.")
def archive_command(before: datetime, reason: str, account: str | None, calls: int) -> None:
    """Move old calls to the broker, with their answers, into the archive.

    Steps are transactions of their own; stop it whenever you like, and go on another day. Between two steps
    it rests for as long as the last one took.
    """
    asked = {"before": before.replace(tzinfo=UTC), "reason": reason, "account": account, "calls": calls}
    total = 0
    try:
        for archived, through_at in _steps(asked):
            total += archived
            if through_at is not None:
                click.echo(
                    f"archived: {total} calls, through {through_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
                )
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError):
            raise
        hint = f"\n{error.diag.message_hint}" if error.diag.message_hint else ""
        raise OrderlatchError(f"{error.sqlstate} {error.diag.message_primary}{hint}") from error
    click.echo(f"archive ok: {total} calls moved")


def _steps(asked: dict[str, object]) -> Iterator[tuple[int, datetime | None]]:
    """Take steps until nothing is left; how many calls each moved, and when the newest was granted."""
    with psycopg.connect(
        database_url(), autocommit=True, application_name="orderlatch-archive"
    ) as connection:
        # whatever the database or the role has as its default
        connection.execute("set default_transaction_isolation = 'read committed'")
        more = True
        while more:
            began = time.monotonic()
            row = connection.execute(_ARCHIVE_BEFORE, asked).fetchone()
            assert row is not None
            archived, through_at, more = row
            assert isinstance(archived, int)
            assert through_at is None or isinstance(through_at, datetime)
            yield archived, through_at
            if more:
                time.sleep(time.monotonic() - began)
