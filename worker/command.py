"""The commands `orderlatch worker` and `orderlatch propose`."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import click

from worker import OrderlatchError
from worker.cli import database_url
from worker.database import Database
from worker.logs import configure_logs
from worker.postgres import DatabaseAwayError, StatementRefusedError
from worker.propose import Outcome, propose_lines, summary
from worker.run import run_worker
from worker.settings import Settings
from worker.variables import help_text

if TYPE_CHECKING:
    from typing import BinaryIO


@click.command("worker", help=help_text())
def worker_command() -> None:
    """Read the settings and work."""
    settings = Settings.read()
    accounts = settings.read_accounts()
    configure_logs()
    asyncio.run(run_worker(settings=settings, accounts=accounts, database_url=database_url()))


@click.command("propose")
@click.argument("file", type=click.File("rb"))
@click.option("--account", required=True, help="The account that the decisions are for.")
@click.pass_context
def propose_command(ctx: click.Context, file: BinaryIO, account: str) -> None:
    """Propose the decisions in FILE, one JSON object a line ("-" is standard input).

    To propose a decision again is no harm: it is found, not made twice. Ends with status 1 when a line was
    invalid.
    """
    try:
        outcomes = asyncio.run(_propose(file=file, account=account))
    except DatabaseAwayError as error:
        hint = "Run it again: what was proposed is not proposed twice."
        raise OrderlatchError(f"{error}\n{hint}") from error
    except StatementRefusedError as error:
        hint = f"\n{error.hint}" if error.hint else ""
        raise OrderlatchError(f"{error.sqlstate} {error}{hint}") from error
    click.echo(summary(outcomes))
    if outcomes["invalid"] or outcomes["collision"]:
        ctx.exit(1)


async def _propose(*, file: BinaryIO, account: str) -> Counter[str]:
    """Propose, print a line for each decision, and count the outcomes."""
    outcomes: Counter[str] = Counter()
    database = Database(database_url())
    async with database.opened():
        async for outcome in propose_lines(database=database, account=account, lines=file):
            outcomes[outcome.outcome] += 1
            click.echo(_shown(outcome))
    return outcomes


def _shown(outcome: Outcome) -> str:
    """One aligned line; what came from the file is stripped of what a terminal would obey."""
    columns = f"{outcome.number:>6}  {outcome.outcome:<9} {outcome.status:<10} {outcome.symbol[:12]:<12}"
    line = f"{columns} {outcome.decision_hash[:12]:<12}  {outcome.remark}".rstrip()
    return "".join(character if character.isprintable() else "?" for character in line)
