"""The command `orderlatch sandbox`."""

import json
import os
from pathlib import Path
from typing import Final

import click

from worker.sandbox.app import Sandbox
from worker.sandbox.auth import AccountKey
from worker.sandbox.server import SandboxServer
from worker.sandbox.store import DataInUseError

ACCOUNTS_VARIABLE: Final = "ORDERLATCH_SANDBOX_ACCOUNTS"


@click.command()
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the ground truth; created when missing, continued when not.",
)
@click.option("--in-memory", is_flag=True, help="The ground truth ends with the process; faster.")
@click.option(
    "--account", "accounts", multiple=True, metavar="NAME:KEY:SECRET[:UUID]", help="May be repeated."
)
@click.option(
    "--accounts-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='JSON list of {"name", "key", "secret", "broker_account_id"?}; kept out of process lists.',
)
def sandbox(
    port: int, data: Path | None, in_memory: bool, accounts: tuple[str, ...], accounts_file: Path | None
) -> None:
    """Run a stand-in for Alpaca's Trading API that keeps the ground truth and misbehaves on demand.

    Accounts also come from the variable ORDERLATCH_SANDBOX_ACCOUNTS, which holds the same JSON as
    --accounts-file. Prints its URL when it is ready. SIGTERM ends it in good order, SIGKILL loses no order
    unless it runs in memory.
    """
    if (data is None) != in_memory:
        raise click.UsageError("use either --data or --in-memory")
    try:
        application = Sandbox(data, _gather_accounts(accounts, accounts_file))
    except (ValueError, DataInUseError) as error:
        raise click.UsageError(str(error)) from None
    try:
        server = SandboxServer(application, port, lambda url: click.echo(f"sandbox: {url}"))
    except OSError as error:
        application.close()
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}") from None
    try:
        server.run_until_told()
    finally:
        application.close()


def _gather_accounts(options: tuple[str, ...], file: Path | None) -> list[AccountKey]:
    keys = [AccountKey.parse(text) for text in options]
    if file is not None:
        keys += _read_accounts(file.read_text())
    if ACCOUNTS_VARIABLE in os.environ:
        keys += _read_accounts(os.environ[ACCOUNTS_VARIABLE])
    if not keys:
        raise ValueError(f"no account: use --account, --accounts-file or {ACCOUNTS_VARIABLE}")
    return keys


def _read_accounts(text: str) -> list[AccountKey]:
    """Read the JSON form. Errors never repeat the text, which holds secrets."""
    try:
        return [
            AccountKey.parse(":".join(str(entry[name]) for name in _NAMES if entry.get(name) is not None))
            for entry in json.loads(text)
        ]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ValueError(
            'accounts must be a JSON list of {"name", "key", "secret", "broker_account_id"?}'
        ) from None


_NAMES: Final = ("name", "key", "secret", "broker_account_id")
