"""The command `orderlatch`. Each command lives in the module that does its work, imported when called."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from worker import OrderlatchError, embedded

AUDIT_KIT = Path(__file__).with_name("audit.psqlrc")

# Name of the command -> module and click command in it. Add a command by adding a line.
COMMANDS = {
    "archive": "worker.archive:archive_command",
    "check": "worker.installer:check_command",
    "demo": "worker.demo:demo_command",
    "drill": "worker.drills.command:drill_command",
    "migrate": "worker.installer:migrate_command",
    "propose": "worker.command:propose_command",
    "psql": "worker.cli:psql_command",
    "sandbox": "worker.sandbox.command:sandbox",
    "stop": "worker.cli:stop_command",
    "url": "worker.cli:url_command",
    "worker": "worker.command:worker_command",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every command."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if (target := COMMANDS.get(cmd_name)) is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command), target
        return command


@click.group(cls=LazyGroup)
def commands() -> None:
    """One trading decision becomes at most one broker order.

    Every command uses the database at DATABASE_URL; without it an embedded Postgres, started when needed.
    """


def main() -> None:
    """Run the command line; what a person can put right ends in one line, not in a traceback."""
    try:
        commands(prog_name="orderlatch")
    except (OrderlatchError, psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        click.echo(f"orderlatch: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:  # of no file or directory that somebody named
            raise
        click.echo(f"orderlatch: {error.filename}: {error.strerror}", err=True)
        sys.exit(1)


def database_url() -> str:
    """DATABASE_URL, or the URL of the embedded server, which is started when needed."""
    if not (url := os.environ.get("DATABASE_URL")):
        return embedded.ensure_running()
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its message quotes the URL, password and all
        raise OrderlatchError("DATABASE_URL: must be a Postgres connection URL") from None
    return url


@click.command("url")
def url_command() -> None:
    """Print the connection URL in use; start the embedded server when there is no DATABASE_URL."""
    click.echo(database_url())


@click.command("psql", context_settings={"ignore_unknown_options": True})
@click.option("--audit", is_flag=True, help="As orderlatch_auditor, with the audit kit: type :help.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql_command(audit: bool, arguments: tuple[str, ...]) -> None:
    """Open psql on the database in use; ARGUMENTS are handed on (-c "select …")."""
    url = database_url()
    if audit:
        os.environ["PSQLRC"] = str(AUDIT_KIT)
    # The embedded server comes with a psql of its version; for any other, prefer the machine's own.
    found = shutil.which("psql") if os.environ.get("DATABASE_URL") else None
    program = found or str(embedded.wheel_binaries() / "psql")
    os.execv(program, [program, url, *arguments])


@click.command("stop")
@click.option("--remove", is_flag=True, help="Also remove the server's data directory.")
def stop_command(remove: bool) -> None:
    """Stop the embedded server; does nothing when it does not run."""
    if remove:
        embedded.remove()
    else:
        embedded.stop()
